#include "scenarios/cli/command_line.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>

#include "scenarios/cli/build_info.h"
#include "scenarios/cli/commands.h"
#include "scenarios/cli/exit_status.h"

namespace polarsim::scenarios::cli {

namespace {

constexpr const char* description =
    "polarsim runs a sharded PostgreSQL-compatible cluster in one process on a simulated network, disk and clock,\n"
    "breaks it on purpose, and proves or refutes what it promised. A run is decided by program, scenario and seed "
    "alone.";

constexpr const char* exit_text =
    "Exit status: 0 passed; 1 a checker or invariant said no, or no verdict was reached; 2 unusable arguments or "
    "input;\n"
    "3 the run was not deterministic, or polarsim itself failed; 4 the real Elle contradicts a verdict (check --elle, "
    "check.elle).";

// An option that may be given several times, one value each, so that it never swallows a positional argument.
CLI::Option* repeated(CLI::App* command, const std::string& name, std::vector<std::string>& values,
                      const std::string& help) {
  return command->add_option(name, values, help)
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

// An empty name of a file or folder is a variable of a script that was never set.
CLI::Validator not_empty() {
  return CLI::Validator([](const std::string& text) { return std::string(text.empty() ? "must not be empty" : ""); },
                        "");
}

void define_run(CLI::App& app, RunOptions& options) {
  CLI::App* command = app.add_subcommand("run", "Run one scenario with one seed and judge what the clients saw");
  command->add_option("SCENARIO", options.scenario, "A TOML file, or the name of a scenario of the library")
      ->required();
  command->add_option("--seed", options.seed, "Decides every random choice: 0 to 18446744073709551615 (default 1)")
      ->type_name("N");
  repeated(command, "--set", options.overrides,
           "Change a value of the scenario, in TOML: cluster.data_nodes=4; may be repeated")
      ->type_name("KEY=VALUE");
  repeated(command, "--plant", options.planted, "Turn a planted bug on (see `polarsim list bugs`); may be repeated")
      ->type_name("BUG");
  command->add_option("--out", options.out, "Folder for the run's artifacts (default runs/<scenario>-<seed>)")
      ->check(not_empty())
      ->type_name("DIR");
  command->add_flag("--no-artifacts", options.no_artifacts, "Write no files");
  command->add_flag("--trace", options.trace, "Keep the trace of the simulation as trace.bin (see `polarsim trace`)");
  command->add_flag("--decisions", options.decisions,
                    "Keep every random decision as decisions.bin, 12 bytes each (see replay --decisions)");
  command->add_flag("--twice", options.twice,
                    "Run twice, the second time with disturbed memory, and require that both runs are the same;\n"
                    "if not, show the first event that differs, with the stacks of both runs");
  command
      ->add_option("--sabotage", options.sabotage,
                   "Make the run nondeterministic, to see what --twice says: wall-clock, address-order or "
                   "uninitialised-read")
      ->type_name("HOW");
  command->add_flag("--json", options.json, "Print one JSON object instead of text");
  command->footer(
      std::string("Times in results are seconds: virtual ones of the simulated world unless they say wall.\n") +
      exit_text + "\n\nExample:\n  polarsim run append --seed 7 --set cluster.data_nodes=4 --plant recheck-skipped");
}

void define_replay(CLI::App& app, ReplayOptions& options) {
  CLI::App* command = app.add_subcommand("replay", "Repeat a recorded run and compare it with its record");
  command->add_option("CAPSULE", options.capsule, "The folder of a run, or the run.json in it")->required();
  CLI::Option* strict =
      command->add_flag("--strict", options.strict, "Digest, ladder and verdict must be those recorded (the default)");
  command
      ->add_flag("--tolerant", options.tolerant,
                 "Report differences, but judge only the run itself: for another build or an edited schedule")
      ->excludes(strict);
  command
      ->add_option("--until", options.until,
                   "Stop at this virtual time without a verdict: seconds, or with unit ns, us, ms, s")
      ->type_name("T");
  command
      ->add_option("--trace", options.trace_file,
                   "Write the trace of the simulation to this file (see `polarsim trace`)")
      ->check(not_empty())
      ->type_name("FILE");
  command
      ->add_option("--out", options.out,
                   "Keep the replayed run in this folder, as run does: with --tolerant, what an edited schedule gives")
      ->check(not_empty())
      ->type_name("DIR");
  CLI::Option* decisions =
      command
          ->add_option(
              "--decisions", options.decisions,
              "Take the decisions from the capsule's decisions.bin, not from the seed. strict: the run must ask "
              "for the\nsame decisions in the same order; tolerant: what fits is taken, stream by stream")
          ->check(CLI::IsMember({"strict", "tolerant"}))
          ->type_name("HOW");
  CLI::Option* first =
      command
          ->add_option("--first", options.first, "Take only the first N decisions; the run draws the others for itself")
          ->needs(decisions)
          ->type_name("N");
  command->add_option("--then-seed", options.then_seed, "Draw the others with this seed: the same past, another future")
      ->needs(first)
      ->type_name("N");
  command->add_flag("--json", options.json, "Print one JSON object instead of text");
  command->footer(std::string(exit_text) +
                  "\n\nExample:\n  polarsim replay runs/append-7 --until 12.5 --trace trace.bin");
}

void define_trace(CLI::App& app, TraceOptions& options) {
  CLI::App* command = app.add_subcommand("trace", "Show a recorded trace as text, or export it for Perfetto");
  command->add_option("FILE", options.file, "A trace, or the folder of a run that has one")->required();
  command->add_flag("--perfetto", options.perfetto,
                    "Write JSON for https://ui.perfetto.dev and chrome://tracing instead of text");
  repeated(command, "--host", options.hosts, "Only events of this host; may be repeated")->type_name("HOST");
  command
      ->add_option("--from", options.from, "Only events from this virtual time on: seconds, or with unit ns, us, ms, s")
      ->type_name("T");
  command->add_option("--until", options.until, "Only events up to this virtual time")->type_name("T");
  command->add_flag("--salvage", options.salvage, "Show what a damaged or cut file holds before the damage");
  command->add_option("-o,--out", options.out, "Write to this file instead of stdout")
      ->check(not_empty())
      ->type_name("FILE");
  command->footer(std::string(exit_text) +
                  "\n\nExamples:\n  polarsim trace runs/append-7 --host cn1 --from 1.2 --until 1.3\n"
                  "  polarsim trace runs/append-7 --perfetto -o trace.json");
}

void define_inspect(CLI::App& app, InspectOptions& options) {
  CLI::App* command = app.add_subcommand(
      "inspect", "Show a page, a range of the log, or the locks of one node of a run at a virtual time");
  command->add_option("RUN", options.run, "The folder of a run, a scenario file, or the name of a library scenario")
      ->required();
  command->add_option("--node", options.node, "The node to look into, e.g. dn1")->required()->type_name("HOST");
  command
      ->add_option("--at", options.at,
                   "Virtual time to stop at: seconds, or with unit ns, us, ms, s (default: the end of the run)")
      ->type_name("T");
  command->add_flag("--relations", options.relations, "Tables, indexes and sequences: number, blocks (the default)");
  command->add_flag("--locks", options.locks, "Who holds and who waits for what");
  command
      ->add_option("--page", options.page,
                   "One page: RELATION:BLOCK, the relation by name or by the number of its files")
      ->type_name("PAGE");
  command->add_flag("--free-space-map", options.free_space_map, "With --page: of the relation's free space map");
  command
      ->add_option("--wal", options.wal,
                   "Records of the write-ahead log that begin from one LSN up to another; either may be left out")
      ->type_name("FROM..UNTIL");
  command->add_option("--seed", options.seed, "For a scenario: the seed (default 1)")->type_name("N");
  repeated(command, "--set", options.overrides, "For a scenario: change a value, in TOML; may be repeated")
      ->type_name("KEY=VALUE");
  repeated(command, "--plant", options.planted, "For a scenario: turn a planted bug on; may be repeated")
      ->type_name("BUG");
  command->footer(std::string(exit_text) +
                  "\n\nExamples:\n  polarsim inspect runs/append-7 --node dn1 --at 12.5 --locks\n"
                  "  polarsim inspect bank --seed 3 --at 4 --node dn2 --relations\n"
                  "  polarsim inspect bank --seed 3 --at 4 --node dn2 --page pg_catalog.polar_relation:0\n"
                  "  polarsim inspect bank --seed 3 --at 4 --node dn2 --wal 200000..");
}

void define_check(CLI::App& app, CheckOptions& options) {
  CLI::App* command = app.add_subcommand("check", "Judge a history that is on disk, from polarsim or any other system");
  command
      ->add_option("HISTORY", options.history,
                   "Operations in Jepsen's form: EDN or JSON, one map a line; - is the standard input")
      ->required();
  command->add_option("--model", options.model, fmt::format("One of {}", fmt::join(check_models(), ", ")))
      ->type_name("M")
      ->required();
  command
      ->add_option(
          "--level", options.level,
          "Isolation level to hold: PL-1, PL-2, MAV, BE-RC, RA, CC, RR, SI, SER, strong-session-SER, strong-SER, or "
          "Elle's name of a consistency model (default read-committed); for list-append and rw-register")
      ->type_name("L");
  command
      ->add_option("--infer", options.infer,
                   "rw-register: what tells the order of versions, separated by commas: wfr-keys (default), "
                   "sequential-keys, linearizable-keys, or nothing")
      ->delimiter(',')
      ->type_name("SOURCE");
  command->add_option("--accounts", options.accounts, "bank: how many accounts there are")->type_name("N");
  command->add_option("--initial-balance", options.initial_balance, "bank: what each account held at first")
      ->type_name("N");
  command->add_flag("--negative-allowed", options.negative_allowed, "bank: balances may fall below zero");
  command->add_flag("--linearizable", options.linearizable,
                    "set-full: an element that was known to be there must be in every read that begins later");
  command->add_option("--dot", options.dot, "Draw what was found into this file, for Graphviz: dot -Tsvg FILE")
      ->check(not_empty())
      ->type_name("FILE");
  command->add_option("--svg", options.svg, "Draw it as a picture: operations over time, and why each precedes another")
      ->check(not_empty())
      ->type_name("FILE");
  command->add_flag("--elle", options.elle,
                    "list-append, rw-register: ask the real Elle, too, and fail if it says otherwise (see `polarsim "
                    "elle --help`)");
  command
      ->add_option(
          "--read-your-writes", options.read_your_writes,
          "read-committed-cluster: whether statements may miss what was acknowledged: unless-pending (default; "
          "only what is still prepared on the node) or always (nothing may be missed)")
      ->type_name("WHEN");
  command->add_flag("--json", options.json, "Print one JSON object instead of text");
  command->footer(std::string(exit_text) +
                  "\n\nExamples:\n  polarsim check history.edn --model list-append --level serializable\n"
                  "  polarsim check history.edn --model list-append --level serializable --elle\n"
                  "  polarsim check history.edn --model rw-register --level BE-RC --infer wfr-keys,linearizable-keys\n"
                  "  polarsim check history.edn --model bank --accounts 8 --initial-balance 100\n"
                  "  polarsim check history.edn --model list-append --level SER --svg anomalies.svg\n"
                  "  polarsim check runs/promise-1/history.edn --model read-committed-cluster\n"
                  "  zcat history.edn.gz | polarsim check - --model list-append --level SER\n"
                  "  polarsim check history.edn --model linearizable-cas-register\n"
                  "polarsim list checkers says what each model is about.");
}

void define_elle(CLI::App& app, ElleOptions& options) {
  CLI::App* command =
      app.add_subcommand("elle", "Install the real Elle, for second opinions, or tell whether it is there");
  command->add_option("ACTION", options.action, "install: into the user's cache, with Maven; status: what is there")
      ->required()
      ->check(CLI::IsMember({"install", "status"}));
  command->footer(
      "Elle (https://github.com/jepsen-io/elle) runs on a Java VM. `polarsim check --elle` and scenarios with\n"
      "`elle = true` under [check] ask it about every history that list-append or rw-register judged, and a "
      "contradiction\nis a failure of its own: elle-disagreement.\n"
      "`install` needs Debian's packages default-jre-headless and maven, and the network; it keeps the class path in\n"
      "$XDG_CACHE_HOME/polarsim/elle (or ~/.cache/polarsim/elle). POLARSIM_ELLE_CLASSPATH names one that is there\n"
      "already instead: jars or folders, separated by ':'. Options of the Java VM, such as -Xmx8g, go into\n"
      "JDK_JAVA_OPTIONS.\n"
      "Exit status: 0 it is there and works; 2 it is not, with the reason.\n\n"
      "Examples:\n  polarsim elle install\n  polarsim elle status\n"
      "  polarsim run append --set check.elle=true");
}

void define_list(CLI::App& app, ListOptions& options) {
  CLI::App* command = app.add_subcommand("list", "Show what this program knows by name");
  command->add_option("KIND", options.kind, "scenarios, workloads, faults, checkers, bugs or probes")->required();
  command->add_flag("--json", options.json, "Print a JSON list of objects with name and summary");
  command->footer(
      "Probes and fault points are declared by use: this list holds those that one short run of each\n"
      "library scenario under faults visits.\n\nExample:\n  polarsim list bugs");
}

void define_campaign(CLI::App& app, CampaignCommandOptions& options) {
  CLI::App* command = app.add_subcommand("campaign", "Run many seeds, a process for each, and group what fails");
  command->add_option("SCENARIO", options.scenarios, "TOML files or names of library scenarios")->required();
  command->add_option("--seeds", options.seeds, "First and last seed, or one")->type_name("A..B")->required();
  command->add_option("--jobs", options.jobs, "Processes at a time (default: one for each processor)")->type_name("N");
  repeated(command, "--set", options.overrides, "Change a value of every scenario, in TOML; may be repeated")
      ->type_name("KEY=VALUE");
  repeated(command, "--plant", options.planted, "Turn a planted bug on; may be repeated")->type_name("BUG");
  command->add_flag("--until-failure", options.until_failure, "Start no more seeds once one has failed");
  command->add_option("--timeout", options.timeout, "Wall seconds after which a seed counts as crashed (default 300)")
      ->type_name("S");
  command->add_option("--db", options.database, "Keep the results in this SQLite file")
      ->check(not_empty())
      ->type_name("FILE");
  command->add_flag("--resume", options.resume, "Skip the seeds whose results the database has");
  command->add_option("--junit", options.junit, "Write the results as JUnit XML")
      ->check(not_empty())
      ->type_name("FILE");
  command->add_option("--out", options.out, "Folder for capsules: the first of each signature is kept (default runs)")
      ->check(not_empty())
      ->type_name("DIR");
  command->add_flag("--json", options.json, "Print one JSON object instead of text");
  command->footer(
      std::string(
          "An anomaly that a scenario expects and no seed shows fails the campaign. SIGINT ends it with what was\n"
          "found so far; seeds under way are not counted, and --resume runs them again.\n") +
      exit_text + "\n\nExample:\n  polarsim campaign append bank --seeds 1..1000 --db nightly.db --junit results.xml");
}

void define_bench(CLI::App& app, BenchOptions& options) {
  CLI::App* command = app.add_subcommand("bench", "Measure the speed of the simulator on this machine");
  command->add_option("NAME", options.name,
                      "Only benchmarks whose name begins so: sim, sim/fiber, sim/timer, sim/scheduler, sim/memory, "
                      "sim/network,\nsim/digest, sim/simgrid, engine/append, sql, sql/parse, sql/statement, "
                      "sql/router, sql/scan, sql/join,\nsql/copy, storage, ...");
  command->add_flag("--json", options.json, "Print a JSON list of objects with name, value, unit and summary");
  command->footer(
      "Seconds are those of processor time. The fastest of several rounds counts.\n\n"
      "Example:\n  polarsim bench sim");
}

void define_isolation(CLI::App& app, IsolationOptions& options) {
  CLI::App* command =
      app.add_subcommand("isolation", "Play what sessions do to each other on one node, statement by statement");
  command
      ->add_option("FILE", options.files, "Files of cases (see scenarios/isolation), or names of those that come along")
      ->required();
  command
      ->add_option(
          "--against", options.against,
          "Play on this real PostgreSQL 15 or later instead: a connection string, as psql takes it. The cases\n"
          "work in a schema of their own; deadlock_timeout can be set by superusers only")
      ->check(not_empty())
      ->type_name("CONNINFO");
  repeated(command, "--plant", options.planted, "Turn a planted bug of the simulated node on; may be repeated")
      ->type_name("BUG");
  command->footer(std::string("For each case: passed, or what happened step by step up to the first difference.\n") +
                  exit_text +
                  "\n\nExamples:\n  polarsim isolation hermitage-read-committed row-locks\n"
                  "  polarsim isolation my.toml --against 'host=/var/run/postgresql dbname=test'");
}

void define_sql(CLI::App& app, SqlOptions& options, std::vector<std::string>& commands,
                std::vector<std::string>& files) {
  CLI::App* command = app.add_subcommand("sql", "A prompt on a simulated cluster, as psql is for PostgreSQL");
  CLI::Option* scenario =
      command
          ->add_option(
              "--scenario", options.scenario,
              "Cluster, network and disks of this TOML file or library scenario, with the tables of its workload")
          ->check(not_empty())
          ->type_name("FILE");
  CLI::Option* coordinators =
      command->add_option("--coordinators", options.coordinators, "Coordinators (default 1)")->type_name("N");
  CLI::Option* data_nodes =
      command->add_option("--data-nodes", options.data_nodes, "Data nodes (default 2)")->type_name("N");
  CLI::Option* seed = command->add_option("--seed", options.seed, "Decides every random choice (default 1)");
  seed->type_name("N");
  CLI::Option* overrides = repeated(command, "--set", options.overrides,
                                    "Change a value of the scenario, in TOML: cluster.shard_count=8; may be repeated");
  overrides->type_name("KEY=VALUE");
  CLI::Option* planted = repeated(command, "--plant", options.planted, "Turn a planted bug on; may be repeated");
  planted->type_name("BUG");
  CLI::Option* node = command->add_option("--node", options.node, "Connect to this node (default cn1)");
  node->check(not_empty())->type_name("NODE");
  CLI::Option* listen = command->add_option(
      "--listen", options.listen,
      "No prompt: let psql, pg_dump and drivers in at this port of 127.0.0.1, until Ctrl-C (0: any)");
  listen->check(not_empty())->type_name("PORT");
  command
      ->add_option("--against", options.against,
                   "Connect to this real PostgreSQL instead: a connection string, as psql takes it")
      ->check(not_empty())
      ->excludes(listen)
      ->excludes(scenario)
      ->excludes(coordinators)
      ->excludes(data_nodes)
      ->excludes(seed)
      ->excludes(overrides)
      ->excludes(planted)
      ->excludes(node)
      ->type_name("CONNINFO");
  repeated(command, "-c,--command", commands, "Run one command (SQL or backslash) and exit; may be repeated")
      ->type_name("COMMAND");
  repeated(command, "-f,--file", files, "Run commands from this file (- for stdin) and exit; may be repeated")
      ->type_name("FILE");
  repeated(command, "-v,--variable", options.variables,
           "Set a variable of the prompt: ON_ERROR_STOP=1; may be repeated")
      ->type_name("NAME=VALUE");
  repeated(command, "-P,--pset", options.display, "As \\pset: format=csv, null=NULL; may be repeated")
      ->type_name("NAME[=VALUE]");
  command->add_flag("-A,--no-align", options.unaligned, "Unaligned output");
  command->add_flag("--csv", options.csv, "Output as CSV");
  command
      ->add_option("-F,--field-separator", options.field_separator,
                   "Between the fields of unaligned output (default |)")
      ->type_name("TEXT");
  command->add_flag("-t,--tuples-only", options.tuples_only, "Rows only");
  command->add_flag("-x,--expanded", options.expanded, "Expanded output: a line for each field");
  command->add_flag("-q,--quiet", options.quiet, "Only query output");
  command->add_flag("-a,--echo-all", options.echo_all, "Print the lines of scripts");
  command->add_flag("-e,--echo-queries", options.echo_queries, "Print what is sent to the server");
  command->footer(
      "Simulated time passes while a statement is under way, and not while you think. docs/prompt.md tells the "
      "rest.\n\n"
      "Exit status, as psql's: 0; 1 for a failed -c or a missing file; 2 unusable arguments, or the connection was "
      "lost;\n"
      "3 an error in a script with ON_ERROR_STOP.\n\n"
      "Examples:\n  polarsim sql\n  polarsim sql --data-nodes 4 -c 'SELECT * FROM pg_dist_node'\n"
      "  polarsim sql --scenario bank -f queries.sql -v ON_ERROR_STOP=1\n"
      "  polarsim sql --listen 5433     (and elsewhere: psql -h 127.0.0.1 -p 5433 -U polar postgres)");
}

// -c and -f in the order in which they were given.
void note_actions(const CLI::App& app, SqlOptions& options, const std::vector<std::string>& commands,
                  const std::vector<std::string>& files) {
  std::size_t next_command = 0, next_file = 0;
  for (const CLI::Option* option : app.get_subcommand("sql")->parse_order()) {
    if (option->check_name("--command")) options.actions.push_back({false, commands.at(next_command++)});
    if (option->check_name("--file")) options.actions.push_back({true, files.at(next_file++)});
  }
}

std::string one_line(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  return text;
}

// The library appends help to some texts and speaks of itself in others; the first sentence is what a user can act on.
std::string message_of(const CLI::App& app, const CLI::Error& error) {
  std::string command = "polarsim";
  for (const CLI::App* chosen : app.get_subcommands()) command += " " + chosen->get_name();
  return fmt::format("{}; try `{} --help`", one_line(error.what()), command);
}

// The library calls a misspelt command a missing one.
void require_known_command(const CLI::App& app, int argc, const char* const* argv) {
  if (argc < 2 || argv[1][0] == '-') return;
  std::string names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (command->get_name() == argv[1]) return;
    names += (names.empty() ? "" : ", ") + command->get_name();
  }
  throw UsageError(fmt::format("no command is called \"{}\"; expected one of {}", one_line(argv[1]), names));
}

}  // namespace

std::variant<PrintText, Command> parse_command_line(int argc, const char* const* argv) {
  RunOptions run;
  ReplayOptions replay;
  TraceOptions trace;
  InspectOptions inspect;
  CheckOptions check;
  ListOptions list;
  CampaignCommandOptions campaign;
  BenchOptions bench;
  IsolationOptions isolation;
  SqlOptions sql;
  ElleOptions elle;
  std::vector<std::string> sql_commands, sql_files;

  CLI::App app(description, "polarsim");
  app.set_version_flag("--version", version_text());
  app.require_subcommand(1);
  app.get_formatter()->column_width(34);
  define_run(app, run);
  define_replay(app, replay);
  define_trace(app, trace);
  define_inspect(app, inspect);
  define_check(app, check);
  define_elle(app, elle);
  define_list(app, list);
  define_campaign(app, campaign);
  define_bench(app, bench);
  define_isolation(app, isolation);
  define_sql(app, sql, sql_commands, sql_files);
  app.footer(std::string("Start here:\n  polarsim list scenarios\n  polarsim run append\n\n") + exit_text);

  require_known_command(app, argc, argv);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForVersion&) {
    return PrintText{version_text() + "\n"};
  } catch (const CLI::CallForHelp&) {
    const auto chosen = app.get_subcommands();
    return PrintText{chosen.empty() ? app.help() : chosen.front()->help("polarsim")};
  } catch (const CLI::Error& error) {
    throw UsageError(message_of(app, error));
  }
  if (app.got_subcommand("run")) return Command(run);
  if (app.got_subcommand("replay")) return Command(replay);
  if (app.got_subcommand("trace")) return Command(trace);
  if (app.got_subcommand("inspect")) return Command(inspect);
  if (app.got_subcommand("check")) return Command(check);
  if (app.got_subcommand("elle")) return Command(elle);
  if (app.got_subcommand("list")) return Command(list);
  if (app.got_subcommand("campaign")) return Command(campaign);
  if (app.got_subcommand("bench")) return Command(bench);
  if (app.got_subcommand("isolation")) return Command(isolation);
  note_actions(app, sql, sql_commands, sql_files);
  return Command(sql);
}

}  // namespace polarsim::scenarios::cli
