#include "engine/storage/control_file.h"

#include <fmt/format.h>

#include "engine/storage/bytes.h"
#include "engine/storage/crc32c.h"
#include "engine/storage/panic.h"
#include "engine/types/error.h"

namespace polarsim::engine::storage {

namespace {

constexpr std::uint64_t control_magic = 0x314C54434C4F50;  // "POLCTL1"
constexpr std::uint32_t control_format_version = 1;
constexpr std::uint64_t slots = 2;

// An unreadable sector takes its page with it, so the slots share none. Zeros fill the page, because only a write of
// the whole page makes it readable again.
constexpr std::uint64_t offset_of(std::uint64_t slot) { return slot * sim::page_bytes; }

ByteWriter& put(ByteWriter& writer, const CheckpointData& data) {
  return writer.number(data.redo)
      .number(data.segment)
      .number(data.next_xid)
      .number(data.next_multixact)
      .number(data.next_relation)
      .number(data.oldest_xid)
      .number(data.oldest_multixact)
      .number(static_cast<std::uint64_t>(data.time_us));
}

CheckpointData get(ByteReader& reader) {
  CheckpointData data;
  data.redo = reader.number<Lsn>();
  data.segment = reader.number<std::uint64_t>();
  data.next_xid = reader.number<FullXid>();
  data.next_multixact = reader.number<MultiXactId>();
  data.next_relation = reader.number<RelationId>();
  data.oldest_xid = reader.number<Xid>();
  data.oldest_multixact = reader.number<MultiXactId>();
  data.time_us = static_cast<std::int64_t>(reader.number<std::uint64_t>());
  return data;
}

// A page whose first sector is: u32 CRC-32C of the rest, magic, version, number, checkpoint, minimum end,
// zeros.
std::string encode(const ControlData& data) {
  ByteWriter body;
  body.number(control_magic).number(control_format_version).number(data.number);
  put(body, data.checkpoint).number(data.minimum_end);
  std::string bytes = body.bytes();
  bytes.resize(sim::sector_bytes - sizeof(std::uint32_t), '\0');
  std::string page = ByteWriter().number(crc32c(bytes)).bytes() + bytes;
  page.resize(sim::page_bytes, '\0');
  return page;
}

std::optional<ControlData> decode(std::string_view sector) {
  ByteReader reader(sector);
  if (reader.number<std::uint32_t>() != crc32c(sector.substr(sizeof(std::uint32_t)))) return std::nullopt;
  if (reader.number<std::uint64_t>() != control_magic) return std::nullopt;
  if (reader.number<std::uint32_t>() != control_format_version) return std::nullopt;
  ControlData data;
  data.number = reader.number<std::uint64_t>();
  data.checkpoint = get(reader);
  data.minimum_end = reader.number<Lsn>();
  return data;
}

}  // namespace

std::string encode(const CheckpointData& data) {
  ByteWriter writer;
  return put(writer, data).bytes();
}

CheckpointData decode_checkpoint(std::string_view bytes) {
  ByteReader reader(bytes);
  return get(reader);
}

std::optional<ControlData> ControlFile::read() {
  const auto file = host_.disk().open(control_file_path, sim::OpenMode::existing);
  if (!file) {
    if (file.error() == sim::DiskError::not_found) return std::nullopt;
    throw SqlError(sqlstate::io_error,
                   fmt::format("could not open file \"{}\": {}", control_file_path, sim::to_string(file.error())));
  }
  std::optional<ControlData> newest;
  for (std::uint64_t slot = 0; slot < slots; ++slot) {
    const auto data = read_slot(*file, slot);
    if (data && (!newest || data->number > newest->number)) newest = data;
  }
  if (!newest) {
    throw SqlError(sqlstate::data_corrupted, fmt::format("control file \"{}\" is damaged", control_file_path),
                   "Neither of its two slots is whole, and a crash cannot harm both.",
                   "Restore this node from a backup or a replica.");
  }
  number_ = newest->number;
  return newest;
}

std::optional<ControlData> ControlFile::read_slot(const sim::File& file, std::uint64_t slot) {
  std::string sector;
  const auto count = file.read(offset_of(slot), sim::sector_bytes, sector);
  if (!count && count.error() == sim::DiskError::offline) throw sim::TaskCancelled{};
  if (count && *count == sim::sector_bytes) {
    if (const auto data = decode(sector)) return data;
  }
  host_.log(fmt::format("slot {} of file \"{}\" is damaged", slot, control_file_path));
  host_.reached("control/slot-damaged");
  return std::nullopt;
}

void ControlFile::write(ControlData data) {
  sim::Disk& disk = host_.disk();
  if (disk.exists(control_file_path)) {
    write_slots(control_file_path, data);
    return;
  }
  const std::string unfinished = control_file_path + ".new";
  write_slots(unfinished, data);
  if (const auto renamed = disk.rename(unfinished, control_file_path); !renamed)
    panic(host_, "rename", unfinished, renamed.error());
  if (const auto synced = disk.sync_directory(); !synced) panic(host_, "fsync directory", "/", synced.error());
}

void ControlFile::write_slots(const std::string& path, ControlData data) {
  auto file = host_.disk().open(path, sim::OpenMode::create);
  if (!file) panic(host_, "open", path, file.error());
  for (std::uint64_t i = 0; i < slots; ++i) {
    // After a crash between the two, the slot that is older, or damaged, is the first to be written.
    data.number = ++number_;
    const auto written = file->write_all(offset_of(data.number % slots), encode(data));
    if (!written) panic(host_, "write", path, written.error());
    const auto synced = file->sync();
    if (!synced) panic(host_, "fsync", path, synced.error());
  }
}

}  // namespace polarsim::engine::storage
