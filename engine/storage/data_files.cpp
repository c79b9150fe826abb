#include "engine/storage/data_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <mutex>

#include "engine/storage/panic.h"
#include "engine/types/error.h"
#include "sim/assert.h"

namespace polarsim::engine::storage {

namespace {

constexpr std::string_view free_space_suffix = "_fsm";

// Empty if the name is not that of a main fork.
std::optional<RelationId> main_fork_of(std::string_view name) {
  RelationId relation = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), relation);
  if (error != std::errc() || end != name.data() + name.size() || relation == 0) return std::nullopt;
  return relation;
}

BlockNumber blocks_of(std::uint64_t bytes) { return static_cast<BlockNumber>((bytes + page_size - 1) / page_size); }

std::uint64_t offset_of(PageId id) { return std::uint64_t{id.block} * page_size; }

// The LSN is told even if the page is damaged: it says up to where the page had come, if that part is sound.
[[noreturn]] void report_damage(PageId id, const std::string& reason, Lsn lsn) {
  throw SqlError(sqlstate::data_corrupted,
                 fmt::format("invalid page in block {} of relation {}", id.block, data_file_path(id.relation, id.fork)),
                 fmt::format("{}; the page's LSN reads {}.", reason, lsn),
                 "Restore this node from a backup or a replica.");
}

}  // namespace

// While it lives, and whatever ends it, the file is known to have been written to.
class DataFiles::UnderWay {
 public:
  UnderWay(DataFiles& files, ForkId fork) : files_(files), fork_(fork) { note(); }
  // Again: a sync in the middle of the write has taken the note for what was written until then.
  ~UnderWay() { note(); }
  UnderWay(const UnderWay&) = delete;
  UnderWay& operator=(const UnderWay&) = delete;

 private:
  void note() {
    if (files_.files_.contains(fork_)) files_.unsynced_.insert(fork_);
  }
  DataFiles& files_;
  ForkId fork_;
};

std::string data_file_path(RelationId relation, Fork fork) {
  return fmt::format("{}/{}{}", data_directory, relation, fork == Fork::free_space ? free_space_suffix : "");
}

DataFiles::DataFiles(sim::Host& host, const PlantedBugs& planted)
    : host_(host), planted_(planted), syncing_(host.scheduler(), "data file sync") {
  if (!host_.disk().exists(data_directory)) {
    if (const auto made = host_.disk().make_directory(data_directory); !made)
      panic(host_, "create directory", data_directory, made.error());
  }
  if (const auto synced = host_.disk().sync_directory(); !synced) panic(host_, "fsync directory", "/", synced.error());
  // After a clean stop the cache may hold what nobody has synced: the next checkpoint promises that it is durable.
  for (const RelationId relation : list()) {
    for (const Fork fork : {Fork::main, Fork::free_space}) {
      if (exists(relation, fork)) unsynced_.insert({relation, fork});
    }
  }
}

void DataFiles::create(RelationId relation) { find_or_create(relation, Fork::main); }

void DataFiles::remove(RelationId relation) {
  for (const Fork fork : {Fork::free_space, Fork::main}) {
    files_.erase({relation, fork});
    unsynced_.erase({relation, fork});
    const std::string path = data_file_path(relation, fork);
    if (!host_.disk().exists(path)) continue;
    if (const auto removed = host_.disk().remove(path); !removed) panic(host_, "remove", path, removed.error());
    names_changed_ = true;
  }
}

bool DataFiles::exists(RelationId relation, Fork fork) const {
  return files_.contains({relation, fork}) || host_.disk().exists(data_file_path(relation, fork));
}

std::vector<RelationId> DataFiles::list() const {
  std::vector<RelationId> relations;
  const auto entries = host_.disk().list_directory(data_directory);
  if (!entries) return relations;
  for (const sim::DirectoryEntry& entry : *entries) {
    if (const auto relation = main_fork_of(entry.name)) relations.push_back(*relation);
  }
  std::sort(relations.begin(), relations.end());
  return relations;
}

DataFiles::OpenFile* DataFiles::find(RelationId relation, Fork fork) {
  const ForkId id{relation, fork};
  if (const auto found = files_.find(id); found != files_.end()) return &found->second;
  const std::string path = data_file_path(relation, fork);
  auto opened = host_.disk().open(path, sim::OpenMode::existing);
  if (!opened) {
    if (opened.error() == sim::DiskError::not_found) return nullptr;
    panic(host_, "open", path, opened.error());
  }
  return &files_.emplace(id, OpenFile{*opened, blocks_of(opened->size())}).first->second;
}

DataFiles::OpenFile& DataFiles::find_or_create(RelationId relation, Fork fork) {
  if (OpenFile* const file = find(relation, fork)) return *file;
  const std::string path = data_file_path(relation, fork);
  auto created = host_.disk().open(path, sim::OpenMode::create_new);
  if (!created) panic(host_, "create", path, created.error());
  names_changed_ = true;
  unsynced_.insert({relation, fork});
  return files_.emplace(ForkId{relation, fork}, OpenFile{*created, 0}).first->second;
}

BlockNumber DataFiles::block_count(RelationId relation, Fork fork) {
  const OpenFile* const file = find(relation, fork);
  return file != nullptr ? file->blocks : 0;
}

void DataFiles::no_such_file(const std::string& path) {
  throw SqlError(sqlstate::undefined_file, fmt::format("could not open file \"{}\": No such file or directory", path));
}

BlockNumber DataFiles::extend(RelationId relation, Fork fork) {
  // A caller who had to wait for a buffer must not bring back a table that was dropped meanwhile.
  if (find(relation, Fork::main) == nullptr) no_such_file(data_file_path(relation, Fork::main));
  OpenFile& file = find_or_create(relation, fork);
  if (file.blocks == invalid_block) {
    throw SqlError(sqlstate::program_limit_exceeded, fmt::format("cannot extend file \"{}\" beyond {} blocks",
                                                                 data_file_path(relation, fork), file.blocks));
  }
  return file.blocks++;
}

void DataFiles::extend_to(RelationId relation, Fork fork, BlockNumber blocks) {
  OpenFile& file = find_or_create(relation, fork);
  file.blocks = std::max(file.blocks, blocks);
}

void DataFiles::truncate(RelationId relation, BlockNumber blocks, const std::function<void()>& forget) {
  const std::lock_guard lock(syncing_);
  if (find(relation, Fork::main) == nullptr) return;
  const std::string path = data_file_path(relation, Fork::main);
  if (host_.fault_point("page/truncate") == sim::FaultOutcome::fail)
    panic(host_, "truncate", path, sim::DiskError::io_error);
  forget();
  OpenFile* const open = find(relation, Fork::main);
  if (open == nullptr) return;
  open->blocks = std::min(open->blocks, blocks);
  const std::uint64_t bytes = offset_of({relation, Fork::main, blocks});
  sim::File file = open->file;
  // It may be shorter than the count says: what was never written is not there.
  if (file.size() <= bytes) return;
  const UnderWay under_way(*this, {relation, Fork::main});
  if (const auto cut = file.truncate(bytes); !cut) panic(host_, "truncate", path, cut.error());
}

void DataFiles::read(PageId id, std::span<char, page_size> into) {
  const std::string path = data_file_path(id.relation, id.fork);
  const auto fail = [&](sim::DiskError error) {
    throw SqlError(sqlstate::io_error,
                   fmt::format("could not read block {} in file \"{}\": {}", id.block, path, sim::to_string(error)));
  };
  if (host_.fault_point("page/read") == sim::FaultOutcome::fail) fail(sim::DiskError::io_error);
  const OpenFile* const open = find(id.relation, id.fork);
  if (open == nullptr) no_such_file(path);
  // A copy: while the read waits, the table of open files may change.
  const sim::File file = open->file;
  std::string bytes;
  bytes.reserve(page_size);
  if (const auto count = file.read(offset_of(id), page_size, bytes); !count) fail(count.error());
  ++statistics_.pages_read;
  bytes.resize(page_size, '\0');
  std::memcpy(into.data(), bytes.data(), page_size);
  const Page page(into.data());
  const std::string reason = planted_.on(PlantedBug::torn_page_not_detected) ? page.verify_layout(id) : page.verify(id);
  if (!reason.empty()) {
    host_.reached("page/damaged");
    report_damage(id, reason, page.lsn());
  }
  page.unseal();
}

void DataFiles::write(PageId id, std::string_view page) {
  POLARSIM_ASSERT(page.size() == page_size, "a page has 8 KiB");
  std::array<char, page_size> sealed;
  std::memcpy(sealed.data(), page.data(), page_size);
  Page(sealed.data()).seal();
  OpenFile* const open = find(id.relation, id.fork);
  const std::string path = data_file_path(id.relation, id.fork);
  if (open == nullptr) panic(host_, "open", path, sim::DiskError::not_found);
  open->blocks = std::max(open->blocks, id.block + 1);
  // A copy: while the write waits, the relation may be removed.
  sim::File file = open->file;
  if (host_.fault_point("page/write") == sim::FaultOutcome::fail) panic(host_, "write", path, sim::DiskError::io_error);
  const UnderWay under_way(*this, {id.relation, id.fork});
  if (const auto written = file.write_all(offset_of(id), {sealed.data(), page_size}); !written)
    panic(host_, "write", path, written.error());
  ++statistics_.pages_written;
}

void DataFiles::sync_all() {
  // One after the other: who comes second must not find nothing to do while the first has not succeeded yet.
  const std::lock_guard lock(syncing_);
  sync_names();
  // Only what there was at the start: what is written meanwhile may go on for ever.
  const std::set<ForkId> start = unsynced_;
  for (const ForkId& fork : start) {
    if (unsynced_.contains(fork)) sync_file(fork);
  }
}

void DataFiles::sync_names() {
  if (!names_changed_) return;
  names_changed_ = false;
  try {
    const auto synced = host_.disk().sync_directory(data_directory);
    ++statistics_.syncs;
    if (!synced) panic(host_, "fsync directory", data_directory, synced.error());
  } catch (...) {
    names_changed_ = true;
    throw;
  }
}

void DataFiles::sync_file(const ForkId& fork) {
  unsynced_.erase(fork);
  try {
    const std::string path = data_file_path(fork.first, fork.second);
    const OpenFile* const open = find(fork.first, fork.second);
    if (open == nullptr) return;
    sim::File file = open->file;
    if (host_.fault_point("page/sync") == sim::FaultOutcome::fail)
      panic(host_, "fsync", path, sim::DiskError::io_error);
    const auto synced = file.sync();
    ++statistics_.syncs;
    if (!synced) panic(host_, "fsync", path, synced.error());
  } catch (...) {
    if (files_.contains(fork)) unsynced_.insert(fork);
    throw;
  }
}

}  // namespace polarsim::engine::storage
