// What the command line said, command by command. Texts are not yet checked for meaning; command_line.cpp only splits
// words.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace polarsim::scenarios::cli {

struct RunOptions {
  std::string scenario;
  std::string seed = "1";
  std::vector<std::string> overrides;
  std::vector<std::string> planted;
  std::string out;
  bool no_artifacts = false;
  bool json = false;
  bool trace = false;
  bool twice = false;
  bool decisions = false;
  std::string sabotage;
};

struct ReplayOptions {
  std::string capsule;
  bool strict = false;  // the default, said aloud
  bool tolerant = false;
  std::string until;
  std::string trace_file;
  std::string decisions;  // strict or tolerant
  std::string first;      // how many of them
  std::string then_seed;
  std::string out;
  bool json = false;
};

struct TraceOptions {
  std::string file;
  bool perfetto = false;
  bool salvage = false;
  std::string out;
  std::vector<std::string> hosts;
  std::string from;
  std::string until;
};

struct InspectOptions {
  std::string run;   // a capsule, a scenario file, or the name of a library scenario
  std::string seed;  // empty: the capsule's, or 1
  std::vector<std::string> overrides;
  std::vector<std::string> planted;
  std::string at;
  std::string node;
  bool relations = false;
  bool locks = false;
  std::string page;  // RELATION:BLOCK
  bool free_space_map = false;
  std::string wal;  // FROM..UNTIL, each may be missing
};

struct CheckOptions {
  std::string history;
  std::string model;
  std::string level;               // empty: read-committed
  std::vector<std::string> infer;  // empty: wfr-keys
  std::string accounts;
  std::string initial_balance;
  bool negative_allowed = false;
  bool linearizable = false;
  std::string dot;  // files to draw anomalies into; empty: none
  std::string svg;
  bool elle = false;
  std::string read_your_writes;  // empty: unless-pending
  bool json = false;
};

struct ElleOptions {
  std::string action;  // install or status
};

struct ListOptions {
  std::string kind;
  bool json = false;
};

struct CampaignCommandOptions {
  std::vector<std::string> scenarios;
  std::string seeds;
  std::string jobs;
  std::vector<std::string> overrides;
  std::vector<std::string> planted;
  bool until_failure = false;
  std::string database;
  bool resume = false;
  bool json = false;
  std::string junit;
  std::string out = "runs";
  std::string timeout = "300";
};

struct BenchOptions {
  std::string name;
  bool json = false;
};

struct IsolationOptions {
  std::vector<std::string> files;
  std::vector<std::string> planted;
  std::string against;  // a connection string of libpq; empty: our own node
};

struct SqlOptions {
  struct Action {
    bool is_file = false;
    std::string text;
  };
  std::string scenario;
  std::string coordinators;  // empty: as the scenario says
  std::string data_nodes;
  std::string seed = "1";
  std::vector<std::string> overrides;
  std::vector<std::string> planted;
  std::string node;             // empty: cn1
  std::string listen;           // a port for real clients; empty: a prompt
  std::string against;          // a connection string of libpq; empty: a simulated cluster
  std::vector<Action> actions;  // -c and -f, in order
  std::vector<std::string> variables;
  std::vector<std::string> display;
  std::string field_separator;
  bool unaligned = false;
  bool csv = false;
  bool tuples_only = false;
  bool expanded = false;
  bool quiet = false;
  bool echo_all = false;
  bool echo_queries = false;
};

using Command = std::variant<RunOptions, ReplayOptions, TraceOptions, InspectOptions, CheckOptions, ListOptions,
                             CampaignCommandOptions, BenchOptions, IsolationOptions, SqlOptions, ElleOptions>;

}  // namespace polarsim::scenarios::cli
