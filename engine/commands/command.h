// Statements that define things (PostgreSQL's src/backend/commands): CREATE, ALTER and DROP of tables, indexes,
// sequences, views and schemas; TRUNCATE, COMMENT, LOCK TABLE.
//
// Each runs inside the session's transaction, and does to catalog, files and rows what PostgreSQL does, with its locks,
// messages and made-up names. All block and throw SqlError; the transaction, or its present savepoint, is then to be
// rolled back.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/node/database.h"
#include "engine/query/analysis.h"
#include "engine/syntax/ast.h"
#include "engine/types/error.h"

namespace polarsim::engine::commands {

struct CommandContext {
  Database& database;
  txn::Transaction& transaction;
  const CallContext& call;
  // What expressions, views and queries look their names up in.
  query::RelationSource& relations;
  // The schemas that names without one are looked for in, after pg_catalog; those that do not exist are left out.
  std::span<const std::string> search_path;
  // NOTICEs go here.
  std::vector<ErrorFields>& notices;
  // Whether tables may be made in pg_catalog, and such tables changed: PostgreSQL's allow_system_table_mods.
  bool allow_system_tables = false;

  catalog::Catalog& catalog() const { return database.catalog(); }
  txn::Backend& backend() const { return *transaction.backend; }
  query::AnalysisContext analysis() const { return {relations, call, nullptr, false}; }
  // The same for what the statement itself says: its warnings are told.
  query::AnalysisContext analysis_of_written() const { return {relations, call, nullptr, false, &notices}; }
  void notice(std::string message, std::string detail = {}) const;
  // IF NOT EXISTS: the error's message and SQLSTATE, and that it is none.
  void notice_existing(const char* sqlstate, const std::string& message) const;
};

// Whether execute() knows the kind of statement.
bool is_command(const syntax::Statement& statement);
// The command tag: "CREATE TABLE".
std::string execute(CommandContext& context, const syntax::Statement& statement);

// One of each kind; all give the tag.
std::string create_table(CommandContext& context, const syntax::CreateTable& create);
std::string create_index(CommandContext& context, const syntax::CreateIndex& create);
std::string create_sequence(CommandContext& context, const syntax::CreateSequence& create);
std::string alter_sequence(CommandContext& context, const syntax::AlterSequence& alter);
std::string create_view(CommandContext& context, const syntax::CreateView& create);
std::string create_schema(CommandContext& context, const syntax::CreateSchema& create);
std::string drop(CommandContext& context, const syntax::Drop& drop);
std::string alter_table(CommandContext& context, const syntax::AlterTable& alter);
std::string rename(CommandContext& context, const syntax::Rename& rename);
std::string alter_schema(CommandContext& context, const syntax::AlterSchema& alter);
std::string truncate(CommandContext& context, const syntax::Truncate& truncate);
std::string comment(CommandContext& context, const syntax::Comment& comment);
std::string lock_tables(CommandContext& context, const syntax::LockTable& lock);

// For CREATE TABLE AS: whether something has the name in the schema where the table would be made; and the statement
// that makes the table without its rows. 42601 if there are more names than columns.
bool exists(const CommandContext& context, const syntax::TableName& name);
syntax::CreateTable table_for(const CommandContext& context, const syntax::CreateTableAs& create,
                              const std::vector<query::OutputName>& columns);

}  // namespace polarsim::engine::commands
