#include "scenarios/campaign_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "scenarios/artifacts.h"
#include "scenarios/elle_opinions.h"

namespace polarsim::scenarios {

namespace {

using Json = nlohmann::json;

constexpr int failed_exit_status = 3;

Json encode(const checkers::OwnOpinion& own) {
  Json message;
  message["checker"] = own.checker;
  message["model"] = own.model;
  message["validity"] = static_cast<int>(own.validity);
  message["reason"] = own.reason;
  message["found"] = own.found;
  return message;
}

// A scenario sets no options of rw-register, so that they are the default ones.
checkers::OwnOpinion decode_opinion(const Json& message) {
  return {message.at("checker").get<std::string>(),
          message.at("model").get<std::string>(),
          {},
          static_cast<checkers::Validity>(message.at("validity").get<int>()),
          message.at("reason").get<std::string>(),
          message.at("found").get<std::vector<std::string>>()};
}

std::string encode(const FinishedSeed& seed) {
  const SeedResult& result = seed.result;
  Json message;
  message["verdict"] = static_cast<int>(result.verdict);
  message["signature"] = result.signature;
  message["checker"] = result.checker;
  message["explanation"] = result.explanation;
  message["digest"] = result.digest;
  message["virtual_time_ns"] = result.virtual_time_ns;
  message["transactions"] = result.transactions;
  message["faults"] = result.faults;
  message["seen"] = result.seen;
  message["probes"] = result.probes;
  message["capsule"] = result.capsule;
  message["opinions"] = Json::array();
  for (const checkers::OwnOpinion& own : seed.opinions) message["opinions"].push_back(encode(own));
  message["folder"] = seed.folder;
  return message.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// False if the process died before it had said all of it.
bool decode(const std::string& text, FinishedSeed& seed) {
  SeedResult& result = seed.result;
  const Json message = Json::parse(text, nullptr, false);
  if (!message.is_object()) return false;
  result.verdict = static_cast<SeedVerdict>(message.at("verdict").get<int>());
  result.signature = message.at("signature").get<std::string>();
  result.checker = message.at("checker").get<std::string>();
  result.explanation = message.at("explanation").get<std::string>();
  result.digest = message.at("digest").get<std::string>();
  result.virtual_time_ns = message.at("virtual_time_ns").get<std::int64_t>();
  result.transactions = message.at("transactions").get<std::uint64_t>();
  result.faults = message.at("faults").get<std::uint64_t>();
  result.seen = message.at("seen").get<std::vector<std::string>>();
  result.probes = message.at("probes").get<std::vector<std::string>>();
  result.capsule = message.at("capsule").get<std::string>();
  for (const Json& own : message.at("opinions")) seed.opinions.push_back(decode_opinion(own));
  seed.folder = message.at("folder").get<std::string>();
  return true;
}

void write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return;  // nobody is left to read it
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

FinishedSeed run_seed(const CampaignOptions& options, const CampaignScenario& scenario, std::uint64_t seed,
                      const std::set<std::string>& known_signatures) {
  RunRequest request;
  request.seed = seed;
  request.planted = options.planted;
  const RunRecord record = options.run(scenario.scenario, request);
  const reports::RunSummary summary = summarise(scenario.scenario, scenario.overrides, record, options.build);
  FinishedSeed finished;
  SeedResult& result = finished.result;
  result = seed_result_of(summary);
  finished.opinions = own_opinions(scenario.scenario, record);
  const std::string folder = run_folder(options.out, scenario.scenario.name, seed);
  if (options.keep_capsules && result.verdict != SeedVerdict::passed && !known_signatures.contains(result.signature)) {
    result.capsule = folder;
  }
  if (!result.capsule.empty() || !finished.opinions.empty()) {
    finished.folder =
        result.capsule.empty() ? folder_for_elle(options.out, scenario.scenario.name, seed) : result.capsule;
    const auto written = write_run_folder(finished.folder, summary, record, replay_command_for(folder));
    if (!written) throw std::runtime_error(written.error().message);
  }
  return finished;
}

// The child's whole life. Destructors of the parent's objects must not run here, hence _exit.
[[noreturn]] void child(const CampaignOptions& options, const CampaignScenario& scenario, std::uint64_t seed,
                        const std::set<std::string>& known_signatures, pid_t parent, int result_pipe, int output) {
  // The terminal's interrupt goes to the parent, which decides; and a child must not outlive it.
  ::signal(SIGINT, SIG_IGN);
  ::signal(SIGTERM, SIG_DFL);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(failed_exit_status);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  int status = 0;
  try {
    write_all(result_pipe, encode(run_seed(options, scenario, seed, known_signatures)));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    status = failed_exit_status;
  }
  std::fflush(nullptr);
  ::_exit(status);
}

std::string signal_name(int number) {
  const char* name = ::sigabbrev_np(number);
  return name == nullptr ? fmt::format("signal {}", number) : fmt::format("SIG{}", name);
}

// The line of a process's output that says best why it died: a sanitizer's summary, an assertion, else the last one.
std::string telling_line(const std::string& output) {
  std::string best;
  for (std::size_t start = 0; start < output.size();) {
    const std::size_t end = std::min(output.find('\n', start), output.size());
    const std::string line = output.substr(start, end - start);
    if (line.starts_with("SUMMARY: ") || line.find(": assertion failed: ") != std::string::npos) return line;
    if (!line.empty()) best = line;
    start = end + 1;
  }
  return best;
}

// Without what differs between two crashes of one kind: the place's folder.
std::string crash_signature(const std::string& reason, const std::string& line) {
  const std::size_t assertion = line.find("assertion failed: ");
  if (assertion != std::string::npos) return "crashed: " + line.substr(assertion);
  if (line.starts_with("SUMMARY: ")) return "crashed: " + line.substr(std::strlen("SUMMARY: "));
  return "crashed: " + reason;
}

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

}  // namespace

SeedProcess::SeedProcess(const CampaignOptions& options, const CampaignScenario& scenario, std::uint64_t seed,
                         const std::set<std::string>& known_signatures)
    : scenario_(scenario.scenario.name), seed_(seed), started_at_(options.wall_seconds()) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail("cannot make a pipe for a seed's process");
  pipe_ = ends[0];
  output_ = ::memfd_create("polarsim-seed-output", MFD_CLOEXEC);
  if (output_ < 0) fail("cannot make a file for a seed's output");
  std::fflush(nullptr);  // or the child would write the parent's buffers once more
  const pid_t parent = ::getpid();
  process_ = ::fork();
  if (process_ == 0) child(options, scenario, seed, known_signatures, parent, ends[1], output_);
  const int fork_error = errno;
  ::close(ends[1]);
  errno = fork_error;
  if (process_ < 0) fail("cannot start a process for a seed");
}

SeedProcess::SeedProcess(SeedProcess&& other) noexcept { swap(other); }

SeedProcess& SeedProcess::operator=(SeedProcess&& other) noexcept {
  SeedProcess taken(std::move(other));
  swap(taken);
  return *this;
}

SeedProcess::~SeedProcess() {
  if (process_ > 0) {
    ::kill(process_, SIGKILL);
    while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  if (pipe_ >= 0) ::close(pipe_);
  if (output_ >= 0) ::close(output_);
}

void SeedProcess::swap(SeedProcess& other) noexcept {
  std::swap(scenario_, other.scenario_);
  std::swap(seed_, other.seed_);
  std::swap(started_at_, other.started_at_);
  std::swap(process_, other.process_);
  std::swap(pipe_, other.pipe_);
  std::swap(output_, other.output_);
  std::swap(timed_out_, other.timed_out_);
  std::swap(received_, other.received_);
}

bool SeedProcess::pump() {
  std::array<char, 64 * 1024> buffer;
  const ssize_t count = ::read(pipe_, buffer.data(), buffer.size());
  if (count > 0) received_.append(buffer.data(), static_cast<std::size_t>(count));
  return count == 0 || (count < 0 && errno != EINTR && errno != EAGAIN);
}

void SeedProcess::time_out() {
  timed_out_ = true;
  ::kill(process_, SIGKILL);
}

std::string SeedProcess::last_words() const {
  constexpr off_t kept_bytes = 8 * 1024;
  const off_t size = ::lseek(output_, 0, SEEK_END);
  const off_t start = size > kept_bytes ? size - kept_bytes : 0;
  std::string text(static_cast<std::size_t>(size - start), '\0');
  const ssize_t count = ::pread(output_, text.data(), text.size(), start);
  text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return text;
}

FinishedSeed SeedProcess::finish(double now) {
  int status = 0;
  while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {
  }
  process_ = -1;
  FinishedSeed finished;
  SeedResult& result = finished.result;
  const bool ended_well = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  if (!ended_well || !decode(received_, finished)) {
    const std::string line = telling_line(last_words());
    const std::string reason = timed_out_            ? "timeout"
                               : WIFSIGNALED(status) ? signal_name(WTERMSIG(status))
                                                     : fmt::format("exit status {}", WEXITSTATUS(status));
    finished = FinishedSeed{};
    result.verdict = SeedVerdict::crashed;
    result.signature = timed_out_ ? "crashed: timeout" : crash_signature(reason, line);
    result.checker = "process";
    result.explanation = line.empty() ? fmt::format("the process of this seed ended by {}", reason) : line;
  }
  result.scenario = scenario_;
  result.seed = seed_;
  result.wall_ms = static_cast<std::int64_t>((now - started_at_) * 1000);
  return finished;
}

std::string folder_for_elle(const std::string& out, const std::string& scenario, std::uint64_t seed) {
  return fmt::format("{}/.elle-{}-{}", out, scenario, seed);
}

SeedResult seed_result_of(const reports::RunSummary& summary) {
  SeedResult result;
  result.scenario = summary.scenario;
  result.seed = summary.seed;
  result.verdict = summary.verdict == reports::Outcome::valid     ? SeedVerdict::passed
                   : summary.verdict == reports::Outcome::invalid ? SeedVerdict::failed
                                                                  : SeedVerdict::unknown;
  result.digest = summary.digest;
  result.virtual_time_ns = summary.virtual_time_ns;
  result.transactions = summary.transactions();
  result.faults = summary.faults_struck;
  result.seen = summary.seen;
  for (const auto& [name, count] : summary.probes) {
    if (count > 0) result.probes.push_back(name);
  }
  if (result.verdict == SeedVerdict::passed) return result;
  result.signature = summary.signature;
  for (const reports::CheckSummary& check : summary.checks) {
    if (check.verdict != summary.verdict) continue;
    result.checker = check.name;
    result.explanation = reports::explanation_of(check);
    break;
  }
  // A run that fails only for an anomaly listed under `never` has no check that says no; its signature still names who
  // saw it.
  if (result.checker.empty()) result.checker = summary.signature.substr(0, summary.signature.find(':'));
  if (result.signature.empty()) result.signature = fmt::format("{}:{}", result.checker, to_string(result.verdict));
  return result;
}

}  // namespace polarsim::scenarios
