#include "engine/sql/tree_builder.h"

#include <algorithm>
#include <utility>

#include "engine/sql/error.h"

namespace polarsim::engine::sql {
namespace {

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

// The keywords a statement this engine does not know begins with, from the grammar's name of its node.
std::string statement_name(std::string_view kind) {
  static constexpr std::pair<std::string_view, std::string_view> known[] = {
      {"AlterSeqStmt", "ALTER SEQUENCE"},
      {"AlterTableStmt", "ALTER TABLE"},
      {"CopyStmt", "COPY"},
      {"CreateTableAsStmt", "CREATE TABLE AS"},
      {"DeallocateStmt", "DEALLOCATE"},
      {"DeclareCursorStmt", "DECLARE"},
      {"ExecuteStmt", "EXECUTE"},
      {"ExplainStmt", "EXPLAIN"},
      {"MergeStmt", "MERGE"},
      {"PrepareStmt", "PREPARE"},
      {"ViewStmt", "CREATE VIEW"},
      {"CreateSchemaStmt", "CREATE SCHEMA"},
  };
  for (const auto& [node, name] : known) {
    if (node == kind) return std::string(name);
  }
  return "this statement (" + std::string(kind) + ")";
}

}  // namespace

CharacterPositions::CharacterPositions(std::string_view text) : text_(text) {
  if (std::none_of(text.begin(), text.end(), continues_character)) return;
  int characters = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i % block_bytes == 0) characters_before_block_.push_back(characters);
    if (i < text.size() && !continues_character(text[i])) ++characters;
  }
}

int CharacterPositions::at(std::int64_t byte_offset) const {
  if (byte_offset < 0) return 0;
  const auto offset = std::min(static_cast<std::size_t>(byte_offset), text_.size());
  if (characters_before_block_.empty()) return static_cast<int>(offset) + 1;
  const std::size_t block = offset / block_bytes;
  int characters = characters_before_block_[block];
  for (std::size_t i = block * block_bytes; i < offset; ++i) {
    if (!continues_character(text_[i])) ++characters;
  }
  return characters + 1;
}

int TreeBuilder::position_of(raw::object fields) const {
  // An absent location is offset 0: the tree leaves zeros out.
  return positions_.at(raw::integer_of(fields, "location"));
}

void TreeBuilder::allow_fields(raw::object fields, std::initializer_list<std::string_view> allowed,
                               std::initializer_list<FieldName> refused) const {
  for (const auto field : fields) {
    const std::string_view key = field.key;
    if (std::find(allowed.begin(), allowed.end(), key) != allowed.end()) continue;
    std::string meaning(key);
    for (const FieldName& name : refused) {
      if (name.field == key) meaning = name.meaning;
    }
    throw SqlError(sqlstate::feature_not_supported, meaning + " is not supported");
  }
}

StatementPtr TreeBuilder::build(raw::element wrapped) {
  const raw::Node node(wrapped);
  auto statement = std::make_shared<Statement>();
  if (node.kind == "SelectStmt") {
    statement->body = select(node.fields);
  } else if (node.kind == "InsertStmt") {
    statement->body = insert(node.fields);
  } else if (node.kind == "UpdateStmt") {
    statement->body = update(node.fields);
  } else if (node.kind == "DeleteStmt") {
    statement->body = delete_from(node.fields);
  } else if (node.kind == "CreateStmt") {
    statement->body = create_table(node.fields);
  } else if (node.kind == "IndexStmt") {
    statement->body = create_index(node.fields);
  } else if (node.kind == "CreateSeqStmt") {
    statement->body = create_sequence(node.fields);
  } else if (node.kind == "DropStmt") {
    statement->body = drop(node.fields);
  } else if (node.kind == "TruncateStmt") {
    statement->body = truncate(node.fields);
  } else if (node.kind == "LockStmt") {
    statement->body = lock_table(node.fields);
  } else if (node.kind == "VacuumStmt") {
    statement->body = vacuum(node.fields);
  } else if (node.kind == "CheckPointStmt") {
    statement->body = Checkpoint{};
  } else if (node.kind == "DiscardStmt") {
    statement->body = discard(node.fields);
  } else if (node.kind == "TransactionStmt") {
    statement->body = transaction(node.fields);
  } else if (node.kind == "VariableSetStmt") {
    statement->body = set_variable(node.fields);
  } else if (node.kind == "VariableShowStmt") {
    statement->body = ShowVariable{std::string(raw::text_of(node.fields, "name"))};
  } else {
    throw SqlError(sqlstate::feature_not_supported, statement_name(node.kind) + " is not supported");
  }
  statement->parameters = parameters_;
  return statement;
}

}  // namespace polarsim::engine::sql
