#include "engine/txn/two_phase.h"

#include <fmt/format.h>

#include "engine/storage/bytes.h"
#include "engine/storage/crc32c.h"
#include "engine/storage/little_endian.h"
#include "engine/storage/panic.h"
#include "engine/types/error.h"

namespace polarsim::engine::txn {

using storage::ByteReader;
using storage::ByteWriter;

namespace {

const std::string directory = "twophase";
constexpr std::uint64_t file_magic = 0x3145534148504F;  // "OPHASE1"
constexpr std::size_t file_header_bytes = 12;

void put_numbers(ByteWriter& into, const std::vector<std::uint32_t>& numbers) {
  into.number(static_cast<std::uint32_t>(numbers.size()));
  for (const std::uint32_t number : numbers) into.number(number);
}

std::vector<std::uint32_t> take_numbers(ByteReader& from) {
  std::vector<std::uint32_t> numbers;
  for (auto count = from.number<std::uint32_t>(); count > 0; --count) numbers.push_back(from.number<std::uint32_t>());
  return numbers;
}

}  // namespace

std::string two_phase_path(Xid xid) { return fmt::format("{}/{:08X}", directory, xid); }

std::string encode(const PreparedState& state) {
  ByteWriter writer;
  writer.number(state.xid).text(state.gid).number(static_cast<std::uint64_t>(state.prepared_us));
  put_numbers(writer, state.subtransactions);
  put_numbers(writer, state.created);
  put_numbers(writer, state.dropped);
  writer.number(static_cast<std::uint32_t>(state.locks.size()));
  for (const LockOwner::Held& held : state.locks) {
    writer.number(static_cast<std::uint8_t>(held.tag.kind)).number(held.tag.a).number(held.tag.b);
    writer.number(static_cast<std::uint8_t>(held.mode)).number(held.times);
  }
  return writer.bytes();
}

PreparedState decode_prepared(std::string_view bytes) {
  ByteReader reader(bytes);
  PreparedState state;
  state.xid = reader.number<Xid>();
  state.gid = reader.text();
  state.prepared_us = static_cast<std::int64_t>(reader.number<std::uint64_t>());
  state.subtransactions = take_numbers(reader);
  state.created = take_numbers(reader);
  state.dropped = take_numbers(reader);
  for (auto count = reader.number<std::uint32_t>(); count > 0; --count) {
    LockOwner::Held held;
    held.tag.kind = static_cast<LockTag::Kind>(reader.number<std::uint8_t>());
    held.tag.a = reader.number<std::uint64_t>();
    held.tag.b = reader.number<std::uint64_t>();
    held.mode = static_cast<LockMode>(reader.number<std::uint8_t>());
    held.times = reader.number<std::uint32_t>();
    state.locks.push_back(held);
  }
  return state;
}

std::string encode(const EndRecord& record) {
  ByteWriter writer;
  writer.number(record.xid).number(static_cast<std::uint64_t>(record.time_us));
  put_numbers(writer, record.subtransactions);
  put_numbers(writer, record.remove);
  writer.text(record.gid);
  return writer.bytes();
}

EndRecord decode_end(std::string_view bytes) {
  ByteReader reader(bytes);
  EndRecord record;
  record.xid = reader.number<Xid>();
  record.time_us = static_cast<std::int64_t>(reader.number<std::uint64_t>());
  record.subtransactions = take_numbers(reader);
  record.remove = take_numbers(reader);
  record.gid = reader.text();
  return record;
}

std::vector<PreparedState> TwoPhaseFiles::load() {
  std::vector<PreparedState> states;
  saved_.clear();
  names_pending_ = true;
  for (const std::string& path : host_.disk().list(directory + "/")) {
    if (path.ends_with(".new")) {  // of a checkpoint that was cut off
      if (const auto removed = host_.disk().remove(path); !removed)
        storage::panic(host_, "remove", path, removed.error());
      continue;
    }
    auto file = host_.disk().open(path, sim::OpenMode::existing);
    std::string bytes;
    const auto read = file ? file->read(0, file->size(), bytes) : tl::unexpected(file.error());
    if (!read) {
      throw SqlError(sqlstate::io_error,
                     fmt::format("could not read file \"{}\": {}", path, sim::to_string(read.error())));
    }
    const bool sound = bytes.size() >= file_header_bytes && storage::load<std::uint64_t>(bytes.data()) == file_magic &&
                       storage::load<std::uint32_t>(bytes.data() + 8) ==
                           storage::crc32c(std::string_view(bytes).substr(file_header_bytes));
    if (!sound) {
      throw SqlError(sqlstate::data_corrupted, fmt::format("file \"{}\" is damaged", path),
                     "It holds the state of a prepared transaction, which cannot be recovered without it.");
    }
    PreparedState& state = states.emplace_back(decode_prepared(std::string_view(bytes).substr(file_header_bytes)));
    if (two_phase_path(state.xid) != path) {
      throw SqlError(sqlstate::data_corrupted, fmt::format("file \"{}\" is damaged", path),
                     fmt::format("It holds the state of transaction {}.", state.xid));
    }
    saved_.insert(state.xid);
  }
  return states;
}

void TwoPhaseFiles::save(const std::vector<PreparedState>& states) {
  sync_names();
  if (states.empty()) return;
  if (!host_.disk().exists(directory)) {
    names_pending_ = true;
    if (const auto made = host_.disk().make_directory(directory); !made) {
      storage::panic(host_, "create directory", directory, made.error());
    }
  }
  for (const PreparedState& state : states) {
    write_draft(state.xid, encode(state));
    const std::string path = two_phase_path(state.xid);
    if (const auto renamed = host_.disk().rename(path + ".new", path); !renamed) {
      storage::panic(host_, "rename", path + ".new", renamed.error());
    }
    saved_.insert(state.xid);
  }
  sync_names();
}

void TwoPhaseFiles::write_draft(Xid xid, std::string_view payload) {
  const std::string path = two_phase_path(xid) + ".new";
  sim::OpenFlags truncate;
  truncate.truncate = true;
  names_pending_ = true;
  auto file = host_.disk().open(path, sim::OpenMode::create, truncate);
  if (!file) storage::panic(host_, "open", path, file.error());
  ByteWriter header;
  header.number(file_magic).number(storage::crc32c(payload));
  std::string bytes = header.bytes();
  bytes += payload;
  if (const auto written = file->write_all(0, bytes); !written) storage::panic(host_, "write", path, written.error());
  if (const auto synced = file->sync(); !synced) storage::panic(host_, "fsync", path, synced.error());
}

void TwoPhaseFiles::sync_names() {
  if (!names_pending_) return;
  for (const std::string& path : {directory, std::string("/")}) {
    if (!host_.disk().exists(path)) continue;
    if (const auto synced = host_.disk().sync_directory(path); !synced) {
      storage::panic(host_, "fsync directory", path, synced.error());
    }
  }
  names_pending_ = false;
}

void TwoPhaseFiles::remove_unless(const std::function<bool(Xid)>& wanted) {
  for (auto next = saved_.begin(); next != saved_.end();) {
    if (wanted(*next)) {
      ++next;
      continue;
    }
    const std::string path = two_phase_path(*next);
    if (const auto removed = host_.disk().remove(path); !removed) {
      storage::panic(host_, "remove", path, removed.error());
    }
    next = saved_.erase(next);
    names_pending_ = true;
  }
}

}  // namespace polarsim::engine::txn
