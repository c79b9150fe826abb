#include "engine/node/inspect.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/node/database.h"
#include "engine/storage/inspect_page.h"
#include "engine/storage/inspect_wal.h"
#include "engine/storage/tuple.h"
#include "engine/types/error.h"

namespace polarsim::engine {

namespace {

using storage::BlockNumber;
using storage::Fork;
using storage::Page;
using storage::PageId;
using storage::RelationId;

constexpr const char* object_not_in_prerequisite_state = "55000";

std::optional<RelationId> number_in(std::string_view text) {
  RelationId number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number == 0) return std::nullopt;
  return number;
}

std::string wal_text(sim::Host& host, const InspectRequest& request) {
  return storage::describe_wal(storage::read_wal_files(host.disk()), request.from, request.until);
}

BlockNumber blocks_in(const std::string& file) {
  return static_cast<BlockNumber>((file.size() + storage::page_size - 1) / storage::page_size);
}

[[noreturn]] void no_such_block(PageId id, BlockNumber blocks) {
  throw SqlError(sqlstate::invalid_parameter_value,
                 fmt::format("block {} is out of range: \"{}\" has {} blocks", id.block,
                             storage::data_file_path(id.relation, id.fork), blocks));
}

std::string page_on_disk(sim::Host& host, PageId id) {
  const std::string path = storage::data_file_path(id.relation, id.fork);
  if (!host.disk().exists(path))
    throw SqlError(sqlstate::undefined_table, fmt::format("there is no file \"{}\"", path));
  const std::string file = host.disk().cached_contents(path);
  if (id.block >= blocks_in(file)) no_such_block(id, blocks_in(file));
  std::string bytes = file.substr(std::size_t{id.block} * storage::page_size, storage::page_size);
  bytes.resize(storage::page_size, '\0');
  std::string text = storage::describe_page(Page(bytes.data()));
  const std::string wrong = Page(bytes.data()).verify(id);
  if (!wrong.empty()) text += fmt::format("  not a sound page: {}\n", wrong);
  return fmt::format("{}, not in memory\n{}", path, text);
}

// --- relations by name ---

struct NamedFile {
  std::string name;
  const char* kind = "";
  RelationId file = 0;
};

std::string qualified(const std::string& schema, const std::string& name) {
  return schema == "public" ? name : schema + "." + name;
}

// What is committed: tables with their indexes and the relations of their long values, then sequences.
std::vector<NamedFile> named_files(const Database& database) {
  std::vector<NamedFile> files;
  for (const catalog::TablePtr& table : database.catalog().tables(nullptr)) {
    const std::string& schema = table->description->schema;
    files.push_back({qualified(schema, table->description->name), "table", table->heap.relation});
    if (table->heap.toast != 0)
      files.push_back({qualified(schema, table->description->name + ".toast"), "toast", table->heap.toast});
    for (const catalog::Index& index : table->indexes)
      files.push_back({qualified(schema, index.description->name), "index", index.file});
  }
  for (const catalog::Relation& relation : database.catalog().relations(nullptr)) {
    const catalog::Definition& definition = *relation.description;
    if (definition.kind == catalog::RelationKind::sequence)
      files.push_back({qualified(definition.schema, definition.name), "sequence", relation.file});
  }
  return files;
}

RelationId resolve(const Database& database, const std::string& relation) {
  if (const auto number = number_in(relation)) return *number;
  const std::string bare = relation.starts_with("public.") ? relation.substr(7) : relation;
  for (const NamedFile& file : named_files(database)) {
    if (file.name == bare || file.name == "pg_catalog." + bare) return file.file;
  }
  throw SqlError(sqlstate::undefined_table, fmt::format("relation \"{}\" does not exist", relation));
}

std::string relations_text(Database& database) {
  std::string text = fmt::format("{:<40} {:<9} {:>8} {:>8}\n", "name", "kind", "file", "blocks");
  for (const NamedFile& file : named_files(database)) {
    text += fmt::format("{:<40} {:<9} {:>8} {:>8}\n", file.name, file.kind, file.file,
                        database.files().block_count(file.file));
  }
  return text;
}

// --- pages ---

std::string page_text(Database& database, const InspectRequest& request) {
  const PageId id{resolve(database, request.relation), request.free_space_map ? Fork::free_space : Fork::main,
                  request.block};
  if (const storage::PageRef page = database.pool().pin_if_resident(id)) {
    return fmt::format("{}, in memory{}\n{}", storage::data_file_path(id.relation, id.fork),
                       database.pool().dirty(id) ? ", dirty" : "", storage::describe_page(page.page()));
  }
  return page_on_disk(database.host(), id);
}

// --- locks ---

std::string holder_text(std::uint32_t process_id) {
  return process_id == 0 ? "prepared" : fmt::format("process {}", process_id);
}

std::string heavyweight_text(const Database& database) {
  std::string text;
  for (const txn::LockManager::Entry& entry : database.locks().entries()) {
    std::string what = describe(entry.tag);
    if (entry.tag.kind == txn::LockTag::Kind::relation)
      what += fmt::format(" ({})", database.catalog().name_of(static_cast<RelationId>(entry.tag.a)));
    text += fmt::format("{:<14} {} {} on {}\n", holder_text(entry.process_id), entry.granted ? "holds" : "WAITS FOR",
                        to_string(entry.mode), what);
  }
  return text;
}

const char* strength_name(std::uint16_t mask) {
  namespace bits = storage::infomask;
  if ((mask & bits::xmax_lock_only) == 0) return (mask & bits::keys_updated) != 0 ? "FOR UPDATE" : "FOR NO KEY UPDATE";
  if ((mask & bits::lock_update) != 0) return "FOR UPDATE";
  if ((mask & bits::lock_no_key_update) != 0) return "FOR NO KEY UPDATE";
  if ((mask & bits::lock_share) != 0) return "FOR SHARE";
  return "FOR KEY SHARE";
}

const char* member_name(txn::MemberStatus status) {
  switch (status) {
    case txn::MemberStatus::key_share:
      return "FOR KEY SHARE";
    case txn::MemberStatus::share:
      return "FOR SHARE";
    case txn::MemberStatus::no_key_update_lock:
    case txn::MemberStatus::no_key_update:
      return "FOR NO KEY UPDATE";
    case txn::MemberStatus::update_lock:
    case txn::MemberStatus::update:
      return "FOR UPDATE";
  }
  return "?";
}

// Row locks lie on the rows: whoever is named by the xmax of a row version and has not ended holds the row.
class RowLocks {
 public:
  explicit RowLocks(Database& database) : database_(database) {}

  std::string text() {
    for (const catalog::TablePtr& table : database_.catalog().tables(nullptr)) visit_table(*table);
    return std::move(text_);
  }

 private:
  void visit_table(const catalog::Table& table) {
    const RelationId relation = table.heap.relation;
    const std::string file = database_.host().disk().cached_contents(storage::data_file_path(relation, Fork::main));
    const BlockNumber blocks = database_.files().block_count(relation);
    for (BlockNumber block = 0; block < blocks; ++block) {
      const PageId id{relation, Fork::main, block};
      if (const storage::PageRef page = database_.pool().pin_if_resident(id)) {
        visit_page(table, block, page.page());
      } else if (std::string bytes = page_of(file, block); Page(bytes.data()).verify(id).empty()) {
        visit_page(table, block, Page(bytes.data()));
      } else {
        text_ += fmt::format("{} is damaged: the locks of its rows are not known\n", storage::describe(id));
      }
    }
  }

  static std::string page_of(const std::string& file, BlockNumber block) {
    const std::size_t offset = std::size_t{block} * storage::page_size;
    std::string bytes = offset < file.size() ? file.substr(offset, storage::page_size) : std::string();
    bytes.resize(storage::page_size, '\0');
    return bytes;
  }

  void visit_page(const catalog::Table& table, BlockNumber block, Page page) {
    if (page.kind() != storage::PageKind::heap) return;
    for (std::uint16_t item = 1; item <= page.item_count(); ++item) {
      if (!page.item_used(item)) continue;
      const storage::TupleHeader header = storage::read_tuple_header(page.item(item));
      if (header.xmax == storage::invalid_xid) continue;
      if (header.has(storage::infomask::xmax_is_multi)) {
        for (const txn::MultiXactMember& member : database_.transactions().multixacts().members(header.xmax))
          add(table, block, item, member.xid, member_name(member.status));
      } else {
        add(table, block, item, header.xmax, strength_name(header.infomask));
      }
    }
  }

  void add(const catalog::Table& table, BlockNumber block, std::uint16_t item, storage::Xid xid, const char* strength) {
    if (!database_.transactions().in_progress(xid)) return;
    text_ += fmt::format("transaction {:<6} {} row ({},{}) of {} {}\n", xid,
                         database_.transactions().is_prepared(xid) ? "(prepared) holds" : "holds", block, item,
                         qualified(table.description->schema, table.description->name), strength);
  }

  Database& database_;
  std::string text_;
};

std::string locks_text(Database& database) {
  const std::string locks = heavyweight_text(database);
  const std::string rows = RowLocks(database).text();
  return "locks\n" + (locks.empty() ? "none\n" : locks) + "\nrow locks\n" + (rows.empty() ? "none\n" : rows);
}

}  // namespace

std::string inspect(Database& database, const InspectRequest& request) {
  switch (request.what) {
    case InspectRequest::What::relations:
      return relations_text(database);
    case InspectRequest::What::page:
      return page_text(database, request);
    case InspectRequest::What::wal:
      return wal_text(database.host(), request);
    case InspectRequest::What::locks:
      return locks_text(database);
  }
  return {};
}

std::string inspect_disk(sim::Host& host, const InspectRequest& request) {
  const char* const state = host.up() ? "recovering" : "down";
  if (request.what == InspectRequest::What::wal) return wal_text(host, request);
  if (request.what == InspectRequest::What::locks)
    throw SqlError(object_not_in_prerequisite_state, fmt::format("the node is {}: there are no locks to show", state));
  if (request.what == InspectRequest::What::page) {
    const auto number = number_in(request.relation);
    if (!number)
      throw SqlError(
          sqlstate::undefined_table,
          fmt::format("the node is {}: give the number of the relation's files, not \"{}\"", state, request.relation));
    return page_on_disk(host, {*number, request.free_space_map ? Fork::free_space : Fork::main, request.block});
  }
  std::string text = fmt::format("the node is {}; its files\n", state);
  for (const std::string& path : host.disk().list(storage::data_directory + "/")) {
    const auto status = host.disk().status(path);
    text += fmt::format("{:<40} {:>8} blocks\n", path, status ? status->size / storage::page_size : 0);
  }
  return text;
}

}  // namespace polarsim::engine
