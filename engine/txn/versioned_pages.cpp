#include "engine/txn/versioned_pages.h"

#include <fmt/format.h>

#include <utility>

#include "engine/storage/bytes.h"
#include "engine/storage/crc32c.h"
#include "engine/storage/little_endian.h"
#include "engine/storage/panic.h"
#include "engine/types/error.h"
#include "sim/assert.h"

namespace polarsim::engine::txn {

using storage::BlockNumber;
using storage::Page;
using storage::page_size;

namespace {

constexpr std::uint64_t manifest_magic = 0x5345474150524556;  // "VERPAGES"
constexpr std::uint32_t manifest_version = 1;
constexpr std::size_t manifest_header_bytes = 16;
constexpr BlockNumber pages_per_segment = 32;
constexpr std::size_t checksum_at = 8;

storage::PageId page_id(BlockNumber block) { return {0, storage::Fork::main, block}; }

std::uint64_t offset_of(BlockNumber block, std::uint8_t slot) {
  return ((block % pages_per_segment) * 2ULL + slot) * page_size;
}

}  // namespace

VersionedPages::VersionedPages(sim::Host& host, std::string directory, storage::PageKind kind)
    : host_(host), directory_(std::move(directory)), kind_(kind) {}

std::string VersionedPages::file_of(BlockNumber block) const {
  return fmt::format("{}/{:04X}", directory_, block / pages_per_segment);
}

void VersionedPages::damaged(const std::string& path, const std::string& why) const {
  throw SqlError(sqlstate::data_corrupted, fmt::format("file \"{}\" is damaged", path), why);
}

std::string VersionedPages::read_file(const std::string& path) {
  auto file = host_.disk().open(path, sim::OpenMode::existing);
  if (!file) damaged(path, fmt::format("could not open it: {}", sim::to_string(file.error())));
  std::string bytes;
  if (const auto read = file->read(0, file->size(), bytes); !read) {
    throw SqlError(sqlstate::io_error,
                   fmt::format("could not read file \"{}\": {}", path, sim::to_string(read.error())));
  }
  return bytes;
}

VersionedPages::Contents VersionedPages::load() {
  const std::string path = manifest_path();
  const std::string manifest = read_file(path);
  if (manifest.size() < manifest_header_bytes || storage::load<std::uint64_t>(manifest.data()) != manifest_magic ||
      storage::load<std::uint32_t>(manifest.data() + 8) != manifest_version) {
    damaged(path, "it does not begin as a manifest");
  }
  const std::string_view body = std::string_view(manifest).substr(manifest_header_bytes);
  if (storage::crc32c(body) != storage::load<std::uint32_t>(manifest.data() + 12)) damaged(path, "checksum mismatch");
  storage::ByteReader reader(body);
  const auto count = reader.number<std::uint32_t>();
  versions_.clear();
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto block = reader.number<BlockNumber>();
    const auto slot = reader.number<std::uint8_t>();
    versions_[block] = {slot, reader.number<std::uint32_t>()};
  }
  Contents contents;
  contents.note = note_ = reader.text();
  for (const auto& [block, version] : versions_) contents.pages.emplace(block, read_page(block, version));
  exists_ = true;
  // What names there are is not known to be durable: the process may have been stopped before it could see to that.
  names_pending_ = directory_pending_ = true;
  return contents;
}

std::string VersionedPages::read_page(BlockNumber block, const Version& version) {
  const std::string path = file_of(block);
  auto file = host_.disk().open(path, sim::OpenMode::existing);
  if (!file) damaged(path, fmt::format("could not open it: {}", sim::to_string(file.error())));
  std::string bytes;
  if (const auto read = file->read(offset_of(block, version.slot), page_size, bytes); !read) {
    throw SqlError(sqlstate::io_error, fmt::format("could not read block {} of file \"{}\": {}", block, path,
                                                   sim::to_string(read.error())));
  }
  if (bytes.size() != page_size) damaged(path, fmt::format("block {}: it ends before", block));
  Page page(bytes.data());
  if (const std::string why = page.verify(page_id(block)); !why.empty()) {
    damaged(path, fmt::format("block {}: {}", block, why));
  }
  if (page.is_new() || page.kind() != kind_)
    damaged(path, fmt::format("block {}: not a {} page", block, to_string(kind_)));
  if (storage::load<std::uint32_t>(bytes.data() + checksum_at) != version.checksum) {
    damaged(path, fmt::format("block {}: it is not the version that was written last", block));
  }
  return bytes.substr(storage::page_header_size);
}

void VersionedPages::write(const std::map<BlockNumber, std::string>& changed, const std::set<BlockNumber>& kept,
                           std::string_view note) {
  Versions versions;
  for (const auto& [block, version] : versions_) {
    if (kept.contains(block)) versions.emplace(block, version);
  }
  // An earlier call may have been cut off between its rename and this; until then the former manifest may come back,
  // and neither does what it lacks count as written, nor must what it names be overwritten.
  sync_names();
  if (exists_ && changed.empty() && versions.size() == versions_.size() && note == note_) return;
  if (!host_.disk().exists(directory_)) {
    directory_pending_ = true;
    if (const auto made = host_.disk().make_directory(directory_); !made) {
      storage::panic(host_, "create directory", directory_, made.error());
    }
  }
  put_pages(changed, versions);
  put_manifest(versions, note);
  versions_ = std::move(versions);
  note_ = note;
  exists_ = true;
  sync_names();
  remove_unused_segments();
}

void VersionedPages::put_pages(const std::map<BlockNumber, std::string>& changed, Versions& versions) {
  std::string bytes(page_size, '\0');
  for (auto next = changed.begin(); next != changed.end();) {
    const std::string path = file_of(next->first);
    names_pending_ = true;
    auto file = host_.disk().open(path, sim::OpenMode::create);
    if (!file) storage::panic(host_, "open", path, file.error());
    for (; next != changed.end() && file_of(next->first) == path; ++next) {
      const auto& [block, payload] = *next;
      POLARSIM_ASSERT(payload.size() == page_payload, "a page of the wrong size");
      const auto before = versions_.find(block);
      const auto slot = static_cast<std::uint8_t>(before == versions_.end() ? 0 : 1 - before->second.slot);
      Page page(bytes.data());
      page.initialize(page_id(block), kind_, page_payload);
      payload.copy(bytes.data() + storage::page_header_size, page_payload);
      page.seal();
      versions[block] = {slot, storage::load<std::uint32_t>(bytes.data() + checksum_at)};
      if (const auto written = file->write_all(offset_of(block, slot), bytes); !written) {
        storage::panic(host_, "write", path, written.error());
      }
    }
    if (const auto synced = file->sync(); !synced) storage::panic(host_, "fsync", path, synced.error());
  }
}

void VersionedPages::put_manifest(const Versions& versions, std::string_view note) {
  storage::ByteWriter body;
  body.number(static_cast<std::uint32_t>(versions.size()));
  for (const auto& [block, version] : versions) body.number(block).number(version.slot).number(version.checksum);
  body.text(note);
  storage::ByteWriter header;
  header.number(manifest_magic).number(manifest_version).number(storage::crc32c(body.bytes()));
  const std::string path = manifest_path();
  const std::string draft = path + ".new";
  sim::OpenFlags truncate;
  truncate.truncate = true;
  names_pending_ = true;
  auto file = host_.disk().open(draft, sim::OpenMode::create, truncate);
  if (!file) storage::panic(host_, "open", draft, file.error());
  if (const auto written = file->write_all(0, header.bytes() + body.bytes()); !written) {
    storage::panic(host_, "write", draft, written.error());
  }
  if (const auto synced = file->sync(); !synced) storage::panic(host_, "fsync", draft, synced.error());
  // The names of new files precede this change of the same directory, so they are there if it is.
  if (const auto renamed = host_.disk().rename(draft, path); !renamed) {
    storage::panic(host_, "rename", draft, renamed.error());
  }
}

void VersionedPages::sync_names() {
  const auto sync = [this](const std::string& path, bool& pending) {
    if (!pending) return;
    if (const auto synced = host_.disk().sync_directory(path); !synced) {
      storage::panic(host_, "fsync directory", path, synced.error());
    }
    pending = false;
  };
  sync("/", directory_pending_);
  sync(directory_, names_pending_);
}

void VersionedPages::remove_unused_segments() {
  std::set<std::string> used{manifest_path()};
  for (const auto& [block, version] : versions_) used.insert(file_of(block));
  for (const std::string& path : host_.disk().list(directory_ + "/")) {
    if (used.contains(path)) continue;
    // Should the name come back after a crash, nothing refers to it.
    names_pending_ = true;
    if (const auto removed = host_.disk().remove(path); !removed) {
      storage::panic(host_, "remove", path, removed.error());
    }
  }
}

}  // namespace polarsim::engine::txn
