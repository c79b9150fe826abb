// Programs that rely on what they have synced: it is there after any crash.
//
// On a lying disk, a sync counts only if the medium holds the contents; on a damaging one, the promise is held against
// the clean contents, and what is read may differ from these only in the sectors that the damage report names.
#include <algorithm>

#include "sim/exercise/file_truth.h"

namespace polarsim::sim::exercise {

using namespace std::chrono_literals;

namespace {

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

// The records from the start that are whole.
std::uint64_t whole_records(const std::string& bytes, std::size_t record_bytes) {
  std::uint64_t count = 0;
  while ((count + 1) * record_bytes <= bytes.size()) {
    const std::string_view record = std::string_view(bytes).substr(count * record_bytes, record_bytes);
    if (number_at(record, 0) != stable_hash(record.substr(8), count)) break;
    ++count;
  }
  return count;
}

// Whether the disk keeps what it has acknowledged of the file: all do, but liars.
bool kept(World& world, Host& host, const std::string& path, std::string_view contents) {
  if (world.record(host.name()).disk != DiskNature::liar) return true;
  const bool durable = host.disk().durable_contents(path).starts_with(contents);
  if (!durable) world.count("sync lied");
  return durable;
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

bool make_checkpoint(World& world, Host& host, const std::string& label, Durable& durable, const std::string& text) {
  Disk& disk = host.disk();
  const std::string next = label + "/next";
  const std::string current = label + "/current";
  auto file = disk.open(next, OpenMode::create);
  if (!file || !file->truncate(0) || !file->write_all(0, text) || !file->sync()) return false;
  const bool liar = world.record(host.name()).disk == DiskNature::liar;
  // Only a name that is durable shows whether its contents are.
  if (liar && !disk.sync_directory(label)) return false;
  if (!kept(world, host, next, text)) durable.suspect = true;
  if (!disk.rename(next, current) || !disk.sync_directory(label)) return false;
  if (!kept(world, host, current, text)) {
    durable.suspect = true;
    return false;
  }
  durable.suspect = false;
  return true;
}

// A directory that a crash leaves in place.
bool make_durable_directory(World& world, Host& host, const std::string& path) {
  const auto made = host.disk().make_directory(path);
  if (!made && made.error() != DiskError::exists) return false;
  world.check_running(host);
  return host.disk().sync_directory().has_value();
}

}  // namespace

void write_log(World& world, Host& host, const std::string& label) {
  RandomStream& random = host.random(label);
  Durable& durable = world.durable(host.name(), label);
  const std::size_t record_bytes = 17 + static_cast<std::size_t>(stable_hash(host.name() + label) % 1500);
  auto file = host.disk().open(label, OpenMode::create);
  if (!file || !host.disk().sync_directory()) return;
  const std::uint64_t promised_records = whole_records(host.disk().clean_contents(label), record_bytes);
  world.require(promised_records >= durable.acknowledged, "synced-records", [&] {
    return host.name() + " " + label + ": " + std::to_string(durable.acknowledged) + " records were synced, " +
           std::to_string(promised_records) + " are there";
  });
  std::string bytes;
  if (!read_checked(world, host, *file, label, 0, file->size(), bytes)) return;
  std::uint64_t written = whole_records(bytes, record_bytes);
  if (durable.acknowledged > 0) world.count(written < durable.acknowledged ? "log damaged" : "log recovered");
  durable.acknowledged = std::min(durable.acknowledged, written);  // it cuts off what it cannot read
  if (!file->truncate(written * record_bytes)) return;
  std::string contents = bytes.substr(0, written * record_bytes);
  while (!world.faults_over()) {
    host.sleep_for(random.between(Duration(0), 60ms));
    world.check_running(host);
    const std::int64_t count = random.between(1, 4);
    for (std::int64_t i = 0; i < count; ++i) {
      const std::string record = log_record(written, record_bytes);
      if (!file->write_all(written * record_bytes, record)) return;
      contents += record;
      ++written;
      if (host.fault_point("exercise/log-written") == FaultOutcome::fail) return;
    }
    if (!random.chance(0.6)) continue;
    const std::uint64_t promised = written;
    if (!file->sync()) continue;  // nothing was promised
    world.count("log synced");
    if (!kept(world, host, label, contents)) continue;
    durable.acknowledged = std::max(durable.acknowledged, promised);
    host.fault_point("exercise/log-synced");
  }
}

namespace {

bool whole_checkpoint(const std::string& text) {
  return text.size() >= 16 && number_at(text, 8) == stable_hash(text.substr(16), number_at(text, 0));
}

// The version that is found, once the disk has kept its promises; nothing if it cannot be read.
std::optional<std::uint64_t> recover_checkpoint(World& world, Host& host, const std::string& current,
                                                Durable& durable) {
  auto file = host.disk().open(current, OpenMode::existing);
  if (!file) {
    world.require(durable.acknowledged == 0 || durable.suspect, "synced-checkpoint",
                  [&] { return host.name() + " has no " + current; });
    durable.acknowledged = 0;
    return 0;
  }
  // The name was only ever given to a file that had been synced.
  const std::string clean = host.disk().clean_contents(current);
  world.require(whole_checkpoint(clean) || durable.suspect, "checkpoint-torn",
                [&] { return host.name() + " " + current + " is torn"; });
  const std::uint64_t promised = whole_checkpoint(clean) ? number_at(clean, 0) : 0;
  world.require(promised >= durable.acknowledged || durable.suspect, "synced-checkpoint", [&] {
    return host.name() + ": version " + std::to_string(promised) + " after " + std::to_string(durable.acknowledged) +
           " was acknowledged";
  });
  std::string text;
  if (!read_checked(world, host, *file, current, 0, file->size(), text)) return std::nullopt;
  const bool usable = whole_checkpoint(text);
  world.count(usable ? "checkpoint recovered" : "checkpoint damaged");
  if (usable) return number_at(text, 0);
  return promised;  // as if a replica had told
}

}  // namespace

void write_checkpoints(World& world, Host& host, const std::string& label) {
  RandomStream& random = host.random(label);
  Durable& durable = world.durable(host.name(), label);
  if (!make_durable_directory(world, host, label)) return;
  const auto found = recover_checkpoint(world, host, label + "/current", durable);
  if (!found) return;
  std::uint64_t version = *found;
  while (!world.faults_over()) {
    host.sleep_for(random.between(Duration(0), 200ms));
    world.check_running(host);
    ++version;
    if (!make_checkpoint(world, host, label, durable, checkpoint_text(random, version))) continue;
    durable.acknowledged = version;
    host.fault_point("exercise/checkpoint");
  }
}

namespace {

// The carried file, with the number of its last move in its name: in one of the two directories, never in both or none.
std::vector<std::string> carried_files(Host& host, const std::string& label) { return host.disk().list(label + "/"); }

std::string place_of(const std::string& label, std::uint64_t move) {
  return label + (move % 2 == 0 ? "/a/" : "/b/") + std::to_string(move);
}

// Makes the directories and the file durable; nothing is promised before.
bool start_carrying(World& world, Host& host, const std::string& label) {
  Disk& disk = host.disk();
  for (const std::string& path : {label, label + "/a", label + "/b"}) {
    const auto made = disk.make_directory(path);
    if (!made && made.error() != DiskError::exists) return false;
  }
  for (const std::string& path : carried_files(host, label)) {
    if (!disk.remove(path)) return false;
  }
  auto file = disk.open(place_of(label, 2), OpenMode::create_new);
  if (!file || !file->write_all(0, label) || !file->sync()) return false;
  for (const std::string& path : {std::string("/"), label, label + "/a", label + "/b"}) {
    if (!disk.sync_directory(path)) return false;
  }
  if (!kept(world, host, place_of(label, 2), label)) return false;
  world.durable(host.name(), label).acknowledged = 2;
  return true;
}

}  // namespace

void carry_file(World& world, Host& host, const std::string& label) {
  RandomStream& random = host.random(label);
  Durable& durable = world.durable(host.name(), label);
  if (durable.acknowledged == 0 && !start_carrying(world, host, label)) return;
  const std::vector<std::string> found = carried_files(host, label);
  world.require(found.size() == 1, "rename-atomic", [&] {
    return host.name() + " has " + std::to_string(found.size()) + " files in " + label;
  });
  std::uint64_t move = std::stoull(found.front().substr(label.size() + 3));
  world.require(found.front() == place_of(label, move) && move >= durable.acknowledged, "synced-rename", [&] {
    return host.name() + " has " + found.front() + " after move " + std::to_string(durable.acknowledged) + " was synced";
  });
  const std::string contents = host.disk().clean_contents(found.front());
  world.require(contents == label, "synced-contents", [&] { return host.name() + " " + found.front(); });
  while (!world.faults_over()) {
    host.sleep_for(random.between(Duration(0), 80ms));
    world.check_running(host);
    const std::string from = place_of(label, move);
    const std::string to = place_of(label, ++move);
    world.require(host.disk().rename(from, to).has_value(), "file-names", [&] { return "rename of " + from; });
    if (!random.chance(0.5)) continue;
    // A rename counts as a change of both its directories.
    const std::string directory = label + (random.chance(0.5) ? "/a" : "/b");
    if (!host.disk().sync_directory(directory) || !kept(world, host, to, label)) continue;
    durable.acknowledged = move;
    world.count("rename synced");
    host.fault_point("exercise/carried");
  }
}

}  // namespace polarsim::sim::exercise
