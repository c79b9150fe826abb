// Programs that write files: what was synced is there after any crash, what is read is what was written.
#include <algorithm>
#include <cstring>

#include "sim/exercise/world.h"

namespace polarsim::sim::exercise {

using namespace std::chrono_literals;

namespace {

std::string random_text(RandomStream& random, std::size_t size) {
  std::string text;
  while (text.size() < size) text += static_cast<char>(random.next());
  return text;
}

void append_number(std::string& text, std::uint64_t number) {
  for (int shift = 0; shift < 64; shift += 8) text += static_cast<char>(number >> shift);
}

std::uint64_t number_at(std::string_view text, std::size_t at) {
  std::uint64_t number = 0;
  for (std::size_t i = 8; i-- > 0;) number = number << 8 | static_cast<unsigned char>(text[at + i]);
  return number;
}

// --- a log ---

// Record `index` of a log is its checksum and then bytes that follow from the index alone.
std::string log_record(std::uint64_t index, std::size_t size) {
  std::string body;
  for (std::uint64_t word = 0; body.size() + 8 < size; ++word) append_number(body, index * 0x9e3779b97f4a7c15 + word);
  body.resize(size - 8);
  std::string record;
  append_number(record, stable_hash(body, index));
  return record + body;
}

// The records from the start that are whole. Nothing if the disk could not be read.
std::optional<std::uint64_t> whole_records(File& file, std::size_t record_bytes) {
  std::string bytes;
  if (!file.read(0, file.size(), bytes)) return std::nullopt;
  std::uint64_t count = 0;
  while ((count + 1) * record_bytes <= bytes.size()) {
    const std::string_view record = std::string_view(bytes).substr(count * record_bytes, record_bytes);
    if (number_at(record, 0) != stable_hash(record.substr(8), count)) break;
    ++count;
  }
  return count;
}

// --- checkpoints ---

// Version, checksum, contents.
std::string checkpoint_text(RandomStream& random, std::uint64_t version) {
  const auto size = static_cast<std::size_t>(random.between(0, 5000));
  const std::string contents = random_text(random, size);
  std::string text;
  append_number(text, version);
  append_number(text, stable_hash(contents, version));
  return text + contents;
}

bool make_checkpoint(Disk& disk, const std::string& next, const std::string& current, const std::string& text) {
  auto file = disk.open(next, OpenMode::create);
  if (!file || !file->truncate(0) || !file->write(0, text) || !file->sync()) return false;
  return disk.rename(next, current) && disk.sync_directory();
}

}  // namespace

void write_log(World& world, Host& host, const std::string& label) {
  RandomStream& random = host.random(label);
  Durable& durable = world.durable(host.name() + "/" + label);
  const std::size_t record_bytes = 17 + static_cast<std::size_t>(stable_hash(host.name() + label) % 1500);
  auto file = host.disk().open(label, OpenMode::create);
  if (!file || !host.disk().sync_directory()) return;
  const auto whole = whole_records(*file, record_bytes);
  if (!whole) return;
  world.require(*whole >= durable.acknowledged, "synced-records", [&] {
    return host.name() + " " + label + ": " + std::to_string(durable.acknowledged) + " records were synced, " +
           std::to_string(*whole) + " are there";
  });
  if (durable.acknowledged > 0) world.count("log recovered");
  if (!file->truncate(*whole * record_bytes)) return;
  std::uint64_t written = *whole;
  while (!world.faults_over()) {
    host.sleep_for(random.between(Duration(0), 60ms));
    const std::int64_t count = random.between(1, 4);
    for (std::int64_t i = 0; i < count; ++i) {
      if (!file->write(written * record_bytes, log_record(written, record_bytes))) return;
      ++written;
      if (host.fault_point("exercise/log-written") == FaultOutcome::fail) return;
    }
    if (!random.chance(0.6)) continue;
    const std::uint64_t promised = written;
    if (!file->sync()) continue;  // nothing was promised
    durable.acknowledged = std::max(durable.acknowledged, promised);
    world.count("log synced");
    host.fault_point("exercise/log-synced");
  }
}

void write_checkpoints(World& world, Host& host, const std::string& label) {
  RandomStream& random = host.random(label);
  Disk& disk = host.disk();
  Durable& durable = world.durable(host.name() + "/" + label);
  const std::string current = label + "/current";
  std::uint64_t version = 0;
  if (auto file = disk.open(current, OpenMode::existing)) {
    std::string text;
    if (!file->read(0, file->size(), text)) return;
    // The name was only ever given to a file that had been synced.
    const bool whole = text.size() >= 16 && number_at(text, 8) == stable_hash(text.substr(16), number_at(text, 0));
    world.require(whole, "checkpoint-torn", [&] { return host.name() + " " + current + " is torn"; });
    version = number_at(text, 0);
    world.count("checkpoint recovered");
  }
  world.require(version >= durable.acknowledged, "synced-checkpoint", [&] {
    return host.name() + ": version " + std::to_string(version) + " after " + std::to_string(durable.acknowledged) +
           " was acknowledged";
  });
  while (!world.faults_over()) {
    host.sleep_for(random.between(Duration(0), 200ms));
    ++version;
    if (!make_checkpoint(disk, label + "/next", current, checkpoint_text(random, version))) continue;
    durable.acknowledged = version;
    host.fault_point("exercise/checkpoint");
  }
}

// --- what one life sees of its own files ---

namespace {

class Scribbler {
 public:
  Scribbler(World& world, Host& host, const std::string& label)
      : world_(world), disk_(host.disk()), random_(host.random(label)), label_(label) {}

  void clean() {
    for (const std::string& path : disk_.list(label_ + "/")) static_cast<void>(disk_.remove(path));
  }

  void step() {
    const std::string path = pick_path();
    switch (random_.below(8)) {
      case 0:
        return remove(path);
      case 1:
        return rename(path, pick_path());
      case 2:
        return truncate(path);
      case 3:
        return static_cast<void>(disk_.sync_directory());
      case 4:
        return compare_names();
      case 5:
        return compare(path);
      default:
        return write(path);
    }
  }

 private:
  std::string pick_path() { return label_ + "/" + std::to_string(random_.below(4)); }

  std::optional<File> open(const std::string& path) {
    auto file = disk_.open(path, OpenMode::create);
    if (!file) return std::nullopt;
    model_.try_emplace(path);
    return *file;
  }
  void write(const std::string& path) {
    auto file = open(path);
    const std::uint64_t offset = random_.below(4000);
    const auto size = static_cast<std::size_t>(random_.between(1, 2000));
    const std::string text = random_text(random_, size);
    const bool synced = random_.chance(0.3);
    if (!file || !file->write(offset, text)) return;  // all or nothing
    std::string& contents = model_[path];
    contents.resize(std::max<std::size_t>(contents.size(), offset + text.size()));
    contents.replace(offset, text.size(), text);
    if (synced) static_cast<void>(file->sync());
  }
  void truncate(const std::string& path) {
    auto file = open(path);
    const std::uint64_t size = random_.below(5000);
    if (file && file->truncate(size)) model_[path].resize(size);
  }
  void remove(const std::string& path) {
    const bool removed = disk_.remove(path).has_value();
    world_.require(removed == (model_.erase(path) > 0), "file-names", [&] { return "removal of " + path; });
  }
  void rename(const std::string& from, const std::string& to) {
    const bool renamed = disk_.rename(from, to).has_value();
    world_.require(renamed == model_.contains(from), "file-names", [&] { return "rename of " + from; });
    if (!renamed || from == to) return;
    model_[to] = std::move(model_[from]);
    model_.erase(from);
  }
  void compare(const std::string& path) {
    const auto expected = model_.find(path);
    auto file = disk_.open(path, OpenMode::existing);
    world_.require(file.has_value() == (expected != model_.end()), "file-names", [&] { return "opening " + path; });
    if (!file) return;
    const std::string& contents = expected->second;
    world_.require(file->size() == contents.size(), "file-size", [&] { return path; });
    const auto offset = static_cast<std::size_t>(random_.below(contents.size() + 1));
    const auto count = static_cast<std::size_t>(random_.below(5000));
    std::string bytes;
    if (!file->read(offset, count, bytes)) return;
    world_.require(bytes == contents.substr(offset, count), "file-contents", [&] { return path; });
    world_.count("file compared");
  }
  void compare_names() {
    std::vector<std::string> expected;
    for (const auto& [path, contents] : model_) expected.push_back(path);
    world_.require(disk_.list(label_ + "/") == expected, "file-names", [&] { return "the list of " + label_; });
  }

  World& world_;
  Disk& disk_;
  RandomStream& random_;
  std::string label_;
  std::map<std::string, std::string> model_;
};

}  // namespace

void scribble(World& world, Host& host, const std::string& label) {
  RandomStream& pauses = host.random(label + "/pauses");
  Scribbler scribbler(world, host, label);
  scribbler.clean();
  while (!world.faults_over()) {
    host.sleep_for(pauses.between(Duration(0), 60ms));
    scribbler.step();
  }
}

}  // namespace polarsim::sim::exercise
