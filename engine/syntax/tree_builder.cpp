#include "engine/syntax/tree_builder.h"

#include <algorithm>
#include <utility>

#include "engine/syntax/parser.h"
#include "engine/syntax/statement_names.h"
#include "engine/types/error.h"
#include "engine/types/stack_depth.h"
#include "engine/types/utf8.h"

namespace polarsim::engine::syntax {
namespace {

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) {
    if (!out.empty()) out += '.';
    out += name;
  }
  return out;
}

// Where SELECT INTO says where to: in the leftmost SELECT of all that UNION and the like connect.
bool find_into(raw::object select_fields, raw::object& into) {
  while (raw::text_of(select_fields, "op") != "SETOP_NONE") {
    raw::object left;
    if (select_fields["larg"].get(left) != simdjson::SUCCESS) return false;
    select_fields = left;
  }
  return select_fields["intoClause"].get(into) == simdjson::SUCCESS;
}

}  // namespace

void refuse(std::string_view what, int position) {
  throw SqlError(sqlstate::feature_not_supported, std::string(what) + " is not supported").at(position);
}

CharacterPositions::CharacterPositions(std::string_view text) : text_(text) {
  if (std::none_of(text.begin(), text.end(), utf8::is_continuation)) return;
  int characters = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i % block_bytes == 0) characters_before_block_.push_back(characters);
    if (i < text.size() && !utf8::is_continuation(text[i])) ++characters;
  }
}

int CharacterPositions::at(std::int64_t byte_offset) const {
  if (byte_offset < 0) return 0;
  const auto offset = std::min(static_cast<std::size_t>(byte_offset), text_.size());
  if (characters_before_block_.empty()) return static_cast<int>(offset) + 1;
  const std::size_t block = offset / block_bytes;
  int characters = characters_before_block_[block];
  for (std::size_t i = block * block_bytes; i < offset; ++i) {
    if (!utf8::is_continuation(text_[i])) ++characters;
  }
  return characters + 1;
}

TreeBuilder::Level::Level(TreeBuilder& builder) : builder_(builder) {
  ++builder_.depth_;
  check_stack_depth();
  if (builder_.depth_ > max_expression_depth) throw_stack_too_deep();
}

int TreeBuilder::position_of(raw::object fields) const { return positions_.at(raw::integer_of(fields, "location")); }

void TreeBuilder::allow_fields(raw::object fields, std::initializer_list<std::string_view> allowed,
                               std::initializer_list<FieldName> refused) const {
  for (const auto field : fields) {
    const std::string_view key = field.key;
    if (std::find(allowed.begin(), allowed.end(), key) != allowed.end()) continue;
    std::string_view meaning = key;
    for (const FieldName& name : refused) {
      if (name.field == key) meaning = name.meaning;
    }
    refuse(meaning);
  }
}

// Schema (or nothing) and name.
std::vector<std::string> TreeBuilder::object_name(raw::object fields, std::string_view key, int position) const {
  std::vector<std::string> names = raw::strings_of(fields, key);
  if (names.size() == 3) {
    throw SqlError(sqlstate::feature_not_supported, "cross-database references are not implemented: " + joined(names))
        .at(position);
  }
  if (names.size() > 3) {
    throw SqlError(sqlstate::syntax_error, "improper qualified name (too many dotted names): " + joined(names))
        .at(position);
  }
  if (names.size() == 1) names.insert(names.begin(), std::string());
  return names;
}

StatementPtr TreeBuilder::build(raw::element wrapped) {
  const raw::Node node(wrapped);
  auto statement = std::make_shared<Statement>();
  raw::object into;
  if (node.kind == "SelectStmt" && find_into(node.fields, into)) {
    statement->body = select_into(node.fields, into);
  } else {
    statement->body = body(node);
  }
  statement->parameters = parameters_;
  return statement;
}

StatementPtr TreeBuilder::nested_statement(raw::object fields, std::string_view key) {
  const Level level(*this);
  return build(fields[key]);
}

StatementBody TreeBuilder::body(const raw::Node& node) {
  const std::string_view kind = node.kind;
  const raw::object fields = node.fields;
  if (kind == "SelectStmt") return select(fields);
  if (kind == "InsertStmt") return insert(fields);
  if (kind == "UpdateStmt") return update(fields);
  if (kind == "DeleteStmt") return delete_from(fields);
  if (kind == "TransactionStmt") return transaction(fields);
  if (kind == "VariableSetStmt") return set_variable(fields);
  if (kind == "VariableShowStmt") return ShowVariable{std::string(raw::text_of(fields, "name"))};
  if (kind == "CopyStmt") return copy(fields);
  if (kind == "ExplainStmt") return explain(fields);
  if (kind == "PrepareStmt") return prepare(fields);
  if (kind == "ExecuteStmt") return execute(fields);
  if (kind == "DeallocateStmt") return Deallocate{std::string(raw::text_of(fields, "name"))};
  if (kind == "CreateStmt") return create_table(fields);
  if (kind == "CreateTableAsStmt") return create_table_as(fields);
  if (kind == "IndexStmt") return create_index(fields);
  if (kind == "CreateSeqStmt") return create_sequence(fields);
  if (kind == "AlterSeqStmt") return alter_sequence(fields);
  if (kind == "ViewStmt") return create_view(fields);
  if (kind == "CreateSchemaStmt") return create_schema(fields);
  if (kind == "DropStmt" || kind == "DropdbStmt" || kind == "DropRoleStmt") return drop(node);
  if (kind == "AlterTableStmt") return alter_table(fields);
  if (kind == "AlterOwnerStmt") return alter_owner(node);
  if (kind == "RenameStmt") return rename(fields);
  if (kind == "AlterObjectSchemaStmt") return alter_schema(fields);
  if (kind == "RefreshMatViewStmt") return refresh(fields);
  if (kind == "TruncateStmt") return truncate(fields);
  if (kind == "CommentStmt") return comment(fields);
  if (kind == "LockStmt") return lock_table(fields);
  if (kind == "VacuumStmt") return vacuum(fields);
  if (kind == "CheckPointStmt") return Checkpoint{};
  if (kind == "DiscardStmt") return discard(fields);
  refuse(statement_name(node));
}

}  // namespace polarsim::engine::syntax
