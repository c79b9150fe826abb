#include "sim/divergence.h"

#include <fmt/format.h>
#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <exception>
#include <memory>
#include <stdexcept>
#include <utility>

#include "sim/assert.h"
#include "sim/stack_pool.h"

namespace polarsim::sim {

namespace {

// --- what the two sides say to each other ---

// A child says one of these and waits for an answer.
constexpr char said_rung = 'r';
constexpr char said_end = 'e';
// The parent answers.
constexpr char go_on = 'g';
constexpr char give_up_records = 'd';

constexpr std::size_t records_shown_before = 8;

bool write_all(int file, const void* bytes, std::size_t count) {
  const char* position = static_cast<const char*>(bytes);
  while (count > 0) {
    const ssize_t written = ::write(file, position, count);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    position += written;
    count -= static_cast<std::size_t>(written);
  }
  return true;
}

bool read_all(int file, void* bytes, std::size_t count) {
  char* position = static_cast<char*>(bytes);
  while (count > 0) {
    const ssize_t got = ::read(file, position, count);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    position += got;
    count -= static_cast<std::size_t>(got);
  }
  return true;
}

void write_text(int file, std::string_view text) {
  const std::uint64_t size = text.size();
  write_all(file, &size, sizeof(size));
  write_all(file, text.data(), text.size());
}

std::optional<std::string> read_text(int file) {
  std::uint64_t size = 0;
  if (!read_all(file, &size, sizeof(size))) return std::nullopt;
  std::string text(size, '\0');
  if (!read_all(file, text.data(), size)) return std::nullopt;
  return text;
}

void write_record(int file, const WitnessedRecord& witnessed) {
  write_all(file, &witnessed.number, sizeof(witnessed.number));
  write_all(file, &witnessed.record, sizeof(witnessed.record));
  write_all(file, &witnessed.time, sizeof(witnessed.time));
  write_text(file, witnessed.text);
  write_text(file, witnessed.task);
  write_text(file, std::string_view(reinterpret_cast<const char*>(witnessed.frames.data()),
                                    witnessed.frames.size() * sizeof(witnessed.frames[0])));
}

std::optional<WitnessedRecord> read_record(int file) {
  WitnessedRecord witnessed;
  if (!read_all(file, &witnessed.number, sizeof(witnessed.number)) || witnessed.number == 0) return std::nullopt;
  if (!read_all(file, &witnessed.record, sizeof(witnessed.record))) return std::nullopt;
  if (!read_all(file, &witnessed.time, sizeof(witnessed.time))) return std::nullopt;
  const auto text = read_text(file);
  const auto task = read_text(file);
  const auto frames = read_text(file);
  if (!text || !task || !frames) return std::nullopt;
  witnessed.text = *text;
  witnessed.task = *task;
  witnessed.frames.resize(frames->size() / sizeof(std::uintptr_t));
  if (!frames->empty())
    std::memcpy(witnessed.frames.data(), frames->data(), witnessed.frames.size() * sizeof(std::uintptr_t));
  return witnessed;
}

// --- a child ---

class Witness {
 public:
  Witness(int in, int out, std::uint64_t known_equal) : in_(in), out_(out), known_equal_(known_equal) {}

  // Runs the program and tells the parent. Never comes back.
  [[noreturn]] void testify(const WitnessedProgram& program) {
    std::string ending = "the run ended";
    try {
      program([this](Simulation& simulation) { attach(simulation); });
    } catch (const std::exception& error) {
      ending = fmt::format("an exception ended the run: {}", error.what());
    } catch (...) {
      ending = "an exception ended the run";
    }
    // The simulation may be gone; what was absorbed since the last rung is not.
    ending_ = ending;
    say(said_end, count_, Digest128{});
    ::_exit(0);
  }

 private:
  void attach(Simulation& simulation) {
    POLARSIM_ASSERT(simulation_ == nullptr, "a program was witnessed twice");
    simulation_ = &simulation;
    RunningDigest::Observer observer;
    observer.on_record = [this](std::uint64_t number, const DigestRecord& record) { keep(number, record); };
    observer.on_rung = [this](std::size_t rung, const Digest128& digest) {
      say(said_rung, rung, digest);
      since_rung_.clear();
    };
    simulation.digest().observe(std::move(observer));
  }

  void keep(std::uint64_t number, const DigestRecord& record) {
    count_ = number;
    WitnessedRecord& witnessed = since_rung_.emplace_back();
    witnessed.number = number;
    witnessed.record = record;
    if (number <= known_equal_) return;
    witnessed.time = simulation_->now();
    witnessed.text = simulation_->describe(record);
    Scheduler& scheduler = simulation_->scheduler();
    if (scheduler.in_task()) witnessed.task = scheduler.current().name();
    witnessed.frames = capture_stack();
  }

  void say(char what, std::uint64_t number, const Digest128& digest) {
    char answer = 0;
    if (!write_all(out_, &what, 1) || !write_all(out_, &number, sizeof(number)) ||
        !write_all(out_, &digest, sizeof(digest)) || !read_all(in_, &answer, 1)) {
      ::_exit(1);
    }
    if (answer == go_on) return;
    for (const WitnessedRecord& witnessed : since_rung_) write_record(out_, witnessed);
    const std::uint64_t no_more = 0;
    write_all(out_, &no_more, sizeof(no_more));
    write_text(out_, ending_);
    ::_exit(0);
  }

  int in_, out_;
  std::uint64_t known_equal_;
  Simulation* simulation_ = nullptr;
  std::uint64_t count_ = 0;
  std::vector<WitnessedRecord> since_rung_;
  std::string ending_;
};

// --- the parent ---

struct Statement {
  char what = 0;
  std::uint64_t number = 0;
  Digest128 digest;
  friend bool operator==(const Statement&, const Statement&) = default;
};

struct Testimony {
  std::vector<WitnessedRecord> records;
  std::string ending;
};

class Child {
 public:
  Child(const WitnessedProgram& program, std::uint64_t known_equal, bool disturbed) {
    int to_child[2];
    int from_child[2];
    if (::pipe(to_child) != 0) fail("no pipe");
    if (::pipe(from_child) != 0) fail("no pipe");
    process_ = ::fork();
    if (process_ < 0) fail("no process");
    if (process_ == 0) {
      ::close(to_child[1]);
      ::close(from_child[0]);
      if (disturbed) disturb_memory();
      Witness(to_child[0], from_child[1], known_equal).testify(program);
    }
    ::close(to_child[0]);
    ::close(from_child[1]);
    out_ = to_child[1];
    in_ = from_child[0];
  }
  ~Child() {
    // The number of a process that has been waited for may be that of another by now.
    if (!waited_) ::kill(process_, SIGKILL);
    ::close(in_);
    ::close(out_);
    wait();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // Nothing if the process ended without a word.
  std::optional<Statement> listen() {
    Statement statement;
    if (!read_all(in_, &statement.what, 1) || !read_all(in_, &statement.number, sizeof(statement.number)) ||
        !read_all(in_, &statement.digest, sizeof(statement.digest))) {
      return std::nullopt;
    }
    return statement;
  }
  void answer(char what) { write_all(out_, &what, 1); }
  Testimony records() {
    Testimony testimony;
    while (auto record = read_record(in_)) testimony.records.push_back(std::move(*record));
    testimony.ending = read_text(in_).value_or("the process ended without a word");
    return testimony;
  }
  std::string death() {
    const int status = wait();
    if (WIFSIGNALED(status)) return fmt::format("the process crashed: {}", strsignal(WTERMSIG(status)));
    return fmt::format("the process exited with status {}", WEXITSTATUS(status));
  }

 private:
  [[noreturn]] static void fail(const char* what) {
    throw std::runtime_error(fmt::format("divergence: {}: {}", what, std::strerror(errno)));
  }
  int wait() {
    int status = 0;
    while (!waited_ && ::waitpid(process_, &status, 0) < 0 && errno == EINTR) {
    }
    waited_ = true;
    return status;
  }
  pid_t process_ = -1;
  int in_ = -1, out_ = -1;
  bool waited_ = false;
};

Divergence compare(const Testimony& first, const Testimony& second) {
  Divergence divergence;
  std::size_t place = 0;
  const std::size_t shorter = std::min(first.records.size(), second.records.size());
  while (place < shorter && first.records[place].record == second.records[place].record) ++place;
  for (std::size_t i = place - std::min(place, records_shown_before); i < place; ++i) {
    divergence.before.push_back(first.records[i]);
    divergence.before.back().frames.clear();
  }
  if (place < first.records.size()) divergence.first = first.records[place];
  if (place < second.records.size()) divergence.second = second.records[place];
  divergence.first_ending = first.ending;
  divergence.second_ending = second.ending;
  return divergence;
}

// One pair of runs.
std::optional<Divergence> compare_runs(const WitnessedProgram& program, std::uint64_t known_equal) {
  Child first(program, known_equal, false);
  Child second(program, known_equal, true);
  for (;;) {
    const auto a = first.listen();
    const auto b = second.listen();
    if (!a || !b) {
      // There is nothing to ask a dead process; the other's records end where it died or later.
      Divergence divergence;
      if (!a) divergence.first_ending = first.death();
      if (!b) divergence.second_ending = second.death();
      divergence.died_alike = !a && !b && divergence.first_ending == divergence.second_ending;
      return divergence;
    }
    // The end of a run has no digest of its own: what came since the last rung is compared record by record.
    if (*a == *b && a->what == said_rung) {
      first.answer(go_on);
      second.answer(go_on);
      continue;
    }
    first.answer(give_up_records);
    const Testimony from_first = first.records();
    second.answer(give_up_records);
    const Testimony from_second = second.records();
    Divergence divergence = compare(from_first, from_second);
    const bool same = !divergence.first && !divergence.second && from_first.ending == from_second.ending;
    return same ? std::nullopt : std::optional<Divergence>(std::move(divergence));
  }
}

// The names that a reader knows the machine's types by.
void shorten(std::string& line) {
  constexpr std::string_view duration = "std::chrono::duration<long, std::ratio<1l, 1000000000l> >";
  const std::string time = fmt::format("std::chrono::time_point<polarsim::sim::VirtualClock, {} >", duration);
  for (const auto& [name, alias] :
       {std::pair<std::string_view, std::string_view>{time, "Time"}, {duration, "Duration"}}) {
    for (std::size_t at = line.find(name); at != std::string::npos; at = line.find(name, at)) {
      line.replace(at, name.size(), alias);
    }
  }
}

// Without what every record has in common: the digest and its observer on top, a fiber's entry below.
std::vector<std::string> telling_lines(std::vector<std::string> lines) {
  for (std::size_t i = lines.size(); i-- > 0;) {
    if (lines[i].find("RunningDigest::") == std::string::npos) continue;
    lines.erase(lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(i + 1));
    break;
  }
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (!lines[i].starts_with("run_body at") && lines[i].find("::run_body(") == std::string::npos) continue;
    // The call of the task's std::function says no more.
    lines.resize(i > 0 && lines[i - 1].starts_with("std::function<") ? i - 1 : i);
    break;
  }
  // The process that finds divergences, in which a run happens to be.
  const auto finder = std::find_if(lines.begin(), lines.end(), [](const std::string& line) {
    return line.find("/sim/divergence.cpp:") != std::string::npos;
  });
  lines.erase(finder, lines.end());
  // The inner workings of std::function and the like.
  std::erase_if(lines, [](const std::string& line) { return line.find(" at /usr/include/c++/") != std::string::npos; });
  for (std::string& line : lines) shorten(line);
  return lines;
}

std::string side_text(const char* run, const std::optional<WitnessedRecord>& record, const std::string& ending) {
  if (!record) return fmt::format("  {} run: {}\n", run, ending.empty() ? "ended before" : ending);
  std::string text =
      fmt::format("  {} run: {}\n    at {:.9f} s, {}\n", run, record->text, seconds(record->time - time_zero),
                  record->task.empty() ? "on the scheduler's stack" : "in task \"" + record->task + "\"");
  for (const std::string& line : telling_lines(name_frames(record->frames))) text += "      " + line + "\n";
  return text;
}

}  // namespace

std::string Divergence::text() const {
  if (died_alike)
    return fmt::format("both processes died in the same way, and what they did last with them: {}\n", first_ending);
  std::string text;
  const std::uint64_t number = first ? first->number : second ? second->number : 0;
  text += number == 0 ? "the runs ended differently\n" : fmt::format("the runs part at record {}\n", number);
  if (!before.empty()) text += "  before, in both:\n";
  for (const WitnessedRecord& record : before) text += fmt::format("    {} {}\n", record.number, record.text);
  text += side_text("first", first, first_ending);
  text += side_text("second", second, second_ending);
  return text;
}

std::optional<Divergence> find_divergence(const WitnessedProgram& program, const DivergenceOptions& options) {
  std::uint64_t known_equal = options.known_equal;
  for (;;) {
    std::optional<Divergence> divergence = compare_runs(program, known_equal);
    if (!divergence || known_equal == 0) return divergence;
    const auto& witnessed = divergence->first ? divergence->first : divergence->second;
    if (!witnessed || witnessed->number > known_equal) return divergence;
    // They parted earlier than ever before, where no stacks were kept: once more, with all of them.
    known_equal = 0;
  }
}

void disturb_memory() {
  mallopt(M_PERTURB, 0x5A);
  paint_stacks();
  // Blocks of many sizes, every other one given back in an order of its own, so that later ones are not handed out by
  // rising addresses. What stays shifts everything behind it.
  constexpr std::size_t blocks = 20'000;
  static std::vector<std::unique_ptr<char[]>>* const kept = new std::vector<std::unique_ptr<char[]>>(blocks);
  std::uint64_t state = 0x9E3779B97F4A7C15ULL;
  const auto next = [&state] {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return state >> 33;
  };
  for (auto& block : *kept) block = std::make_unique<char[]>(16 + next() % 500);
  for (std::size_t i = 0; i < blocks; ++i) (*kept)[next() % blocks].reset();
}

}  // namespace polarsim::sim
