// Pages that are in memory as a whole and reach the disk with checkpoints only: commit log, multixacts.
//
// A checkpoint writes what has changed since the last one, and a crash in the middle of it must leave what the last one
// wrote. Each page has two slots on disk; a changed page goes to the slot that does not count. When all are durable, a
// new manifest, put in place by a rename, makes them count. So no page that counts is ever overwritten, torn pages do
// no harm, and redo begins with exactly what the last manifest names.
//
//   <directory>/<segment>   32 pages (page.h), two slots each: page b is at ((b % 32) * 2 + slot) * 8192
//   <directory>/manifest    u64 magic, u32 version, u32 CRC-32C of the rest, u32 pages; for each: u32 block, u8 slot,
//                           u32 its checksum; then a text of the owner's
//
// The manifest names each page's checksum: a page that is damaged, was written elsewhere, or is an older one (a lost
// write) is refused by load(), with file and block. Nothing here reads pages at any other time.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "engine/storage/page.h"
#include "sim/host.h"

namespace polarsim::engine::txn {

class VersionedPages {
 public:
  static constexpr std::size_t page_payload = storage::page_size - storage::page_header_size;

  VersionedPages(sim::Host& host, std::string directory, storage::PageKind kind);

  struct Contents {
    std::map<storage::BlockNumber, std::string> pages;  // page_payload bytes each
    std::string note;
  };
  // What the last write() left. Throws SqlError XX001 if it is damaged or missing, 58030 if the disk fails. Blocks.
  Contents load();
  // Makes `changed` durable, with `note`; pages that are neither in `changed` nor in `kept` are forgotten. All or
  // nothing, whatever happens in between. Blocks. Panics if the disk fails.
  void write(const std::map<storage::BlockNumber, std::string>& changed, const std::set<storage::BlockNumber>& kept,
             std::string_view note);

  // "pg_xact/0003": the file that holds a page.
  std::string file_of(storage::BlockNumber block) const;
  std::string manifest_path() const { return directory_ + "/manifest"; }

 private:
  struct Version {
    std::uint8_t slot = 0;
    std::uint32_t checksum = 0;
  };
  using Versions = std::map<storage::BlockNumber, Version>;

  std::string read_file(const std::string& path);
  std::string read_page(storage::BlockNumber block, const Version& version);
  void put_pages(const std::map<storage::BlockNumber, std::string>& changed, Versions& versions);
  void put_manifest(const Versions& versions, std::string_view note);
  void remove_unused_segments();
  void sync_names();
  [[noreturn]] void damaged(const std::string& path, const std::string& why) const;

  sim::Host& host_;
  std::string directory_;
  storage::PageKind kind_;
  Versions versions_;  // that count on disk
  std::string note_;
  bool exists_ = false;             // there is a manifest
  bool names_pending_ = false;      // some names in the directory are perhaps not durable
  bool directory_pending_ = false;  // neither is its own
};

}  // namespace polarsim::engine::txn
