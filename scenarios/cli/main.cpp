#include <exception>
#include <string>
#include <variant>

#include "scenarios/cli/command_line.h"
#include "scenarios/cli/commands.h"
#include "scenarios/cli/exit_status.h"
#include "scenarios/cli/terminal.h"
#include "sim/stack_overflow.h"

namespace {

namespace cli = polarsim::scenarios::cli;

struct Dispatch {
  int operator()(const cli::RunOptions& options) const { return cli::run_command(options); }
  int operator()(const cli::ReplayOptions& options) const { return cli::replay_command(options); }
  int operator()(const cli::TraceOptions& options) const { return cli::trace_command(options); }
  int operator()(const cli::InspectOptions& options) const { return cli::inspect_command(options); }
  int operator()(const cli::CheckOptions& options) const { return cli::check_command(options); }
  int operator()(const cli::ListOptions& options) const { return cli::list_command(options); }
  int operator()(const cli::CampaignCommandOptions& options) const { return cli::campaign_command(options); }
  int operator()(const cli::BenchOptions& options) const { return cli::bench_command(options); }
  int operator()(const cli::IsolationOptions& options) const { return cli::isolation_command(options); }
  int operator()(const cli::SqlOptions& options) const { return cli::sql_command(options); }
  int operator()(const cli::ElleOptions& options) const { return cli::elle_command(options); }
};

// A result that did not reach its reader is no result.
int status_after_output(int status) {
  const std::string error = cli::output_error();
  if (error.empty()) return status;
  cli::print_error(error);
  return cli::exit_status::broken;
}

}  // namespace

int main(int argc, char** argv) {
  cli::set_program_name(argc > 0 ? argv[0] : nullptr);
  cli::catch_interrupts();
  polarsim::sim::install_stack_overflow_report();
  try {
    const auto parsed = cli::parse_command_line(argc, argv);
    if (const auto* text = std::get_if<cli::PrintText>(&parsed)) {
      cli::print(text->text);
      return status_after_output(cli::exit_status::passed);
    }
    return status_after_output(std::visit(Dispatch{}, std::get<cli::Command>(parsed)));
  } catch (const cli::UsageError& error) {
    cli::print_error(error.what());
    return cli::exit_status::unusable_input;
  } catch (const cli::Interrupted&) {
    cli::print_error("interrupted before a verdict was reached");
    return cli::exit_status::not_passed;
  } catch (const std::exception& error) {
    cli::print_error(error.what());
    return cli::exit_status::broken;
  }
}
