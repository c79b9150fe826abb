// One ALTER TABLE's changes of one table (PostgreSQL's src/backend/commands/tablecmds.c): what alter_table.cpp runs in
// passes. An action changes the table's definition at once, and its rows where they have to be written anew; whether
// they keep to new constraints is looked at last.
//
// Its parts are a file each: table_change_columns.cpp, table_change_column_properties.cpp, table_change_types.cpp,
// table_change_constraints.cpp. Used by alter_table.cpp alone.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/commands/command.h"
#include "engine/commands/constraints.h"
#include "engine/commands/objects.h"
#include "engine/commands/table_columns.h"
#include "engine/query/program.h"

namespace polarsim::engine::commands {

class TableChange {
 public:
  using Action = syntax::AlterTable::Action;

  TableChange(CommandContext& context, catalog::TablePtr table)
      : context_(context), id_(table->id), names_(context, table->description->schema) {}

  void run(const Action& action);
  // Whether the rows that are there keep to what is new, once all actions are done.
  void check_existing_rows();

 private:
  catalog::TablePtr table() const { return context_.catalog().find_table(&context_.transaction, id_); }
  Definition definition() const { return *table()->description; }
  void change(Definition definition) { context_.catalog().alter(context_.transaction, id_, std::move(definition)); }

  // PostgreSQL has forgotten the statement's text when it looks at these expressions.
  template <typename Work>
  static void without_position(const Work& work) {
    try {
      work();
    } catch (SqlError& error) {
      throw error.at(0);
    }
  }

  int require_column(const Definition& definition, const std::string& name) const;
  static catalog::Column& column_of(Definition& definition, int number);
  TableInMaking in_making() const;
  void finish(TableInMaking making, std::size_t checks_before, std::size_t keys_before);
  std::string column_called(const Definition& described, int number) const;
  syntax::ExpressionPtr parsed(const std::string& text) const;
  std::vector<int> columns_made_of(const Definition& described, int number) const;
  static void forget_statistics(Definition& changed, int number);
  bool names_column(const Definition& index, int number) const;
  std::set<int> columns_in(const std::string& text, Type type) const;
  std::set<int> columns_of(const Definition&, const catalog::Check& check) const;
  void not_so(const Action& action, const std::string& message) const;

  // --- columns (table_change_columns.cpp) ---
  void add_column_action(const Action& action);
  void add_constraints_of(TableInMaking& making, const syntax::ColumnDefinition& written);
  void fill_new_column(Definition& changed, int number);
  bool is_volatile(const std::string& text, const Definition& changed, Type type) const;
  void require_no_rows(const Definition& changed, int number);
  void drop_column(const Action& action);
  void erase_column(int number);

  // --- properties of columns (table_change_column_properties.cpp) ---
  void set_default(const Action& action);
  void add_identity(const Action& action);
  void drop_identity(const Action& action);
  std::vector<Relation> sequences_of(int column) const;
  void set_type_of_identity(int column, const syntax::TypeName& type);
  void drop_expression(const Action& action);
  void set_not_null(const std::string& name);
  void drop_not_null(const std::string& name);

  // --- types (table_change_types.cpp) ---
  static Type type_of(const Action& action);
  void set_type(const Action& action);
  std::vector<catalog::ReferencingKey> comparable_keys_of(int number);
  void refuse_generated_of(const Definition& changed, int number) const;
  void refuse_views_of(const Definition& changed, int number) const;
  query::Program conversion(const Definition& changed, int number, Type type,
                            const syntax::ExpressionPtr& written) const;
  std::string converted_default(const Definition& changed, int number) const;
  void renew_checks();

  // --- constraints (table_change_constraints.cpp) ---
  void add_constraint_action(const syntax::Constraint& constraint);
  void drop_constraint(const Action& action);
  void validate_constraint(const std::string& name);

  CommandContext& context_;
  RelationId id_;
  NameChooser names_;
  std::vector<int> new_not_null_;
  std::vector<std::string> new_checks_;
  std::vector<std::string> new_foreign_keys_;
};

}  // namespace polarsim::engine::commands
