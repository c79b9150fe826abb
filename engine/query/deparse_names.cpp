#include "engine/query/deparse_names.h"

#include <algorithm>

#include "engine/query/analysis.h"

namespace polarsim::engine::query {
namespace {

using Names = std::vector<std::string>;

bool is_among(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

Names names_of(const std::vector<OutputName>& columns) {
  Names names;
  for (const OutputName& column : columns) names.push_back(column.name);
  return names;
}

Names names_of(const Relation& relation) {
  Names names;
  // The tableoid of a system view is marked as dropped, and can be named.
  const bool is_system_view = relation.kind == Relation::Kind::system_view;
  for (const RelationColumn& column : relation.columns)
    names.push_back(column.dropped && !is_system_view ? "" : column.name);
  return names;
}

class NameChooser {
 public:
  NameChooser(const Query& query, std::span<const QueryNames> outer, QueryNames& names)
      : query_(query), outer_(outer), names_(names) {}

  void choose_entry_names(TakenNames& taken, std::span<const std::string_view> reserved) {
    for (const std::string_view name : reserved) take(std::string(name), taken);
    for (std::size_t i = 0; i < query_.entries.size(); ++i) {
      const std::string& wanted = query_.entries[i].alias;
      if (wanted.empty()) continue;
      names_.entries[i].name = unique_entry_name(wanted, taken);
    }
    // Queries inside may have them.
    for (const std::string_view name : reserved) {
      if (const auto found = taken.find(name); found != taken.end()) taken.erase(found);
    }
  }

  void choose_column_names() {
    parent_using_.resize(query_.entries.size());
    for (const JoinTreePtr& tree : query_.from) {
      unique_using_ = unique_using_ || has_computed_using(*tree);
      mark_named_joins(*tree, {});
    }
    for (const JoinTreePtr& tree : query_.from) choose_using_names(*tree, {});
    collect_joins();
    for (std::size_t i = 0; i < query_.entries.size(); ++i) {
      if (std::holds_alternative<JoinSource>(query_.entries[i].source)) {
        choose_join_names(i);
      } else {
        choose_leaf_names(i);
      }
    }
  }

 private:
  // Which columns of its sides a column of a join is made of; -1: none.
  struct JoinColumn {
    int left = -1;
    int right = -1;
  };

  bool take(const std::string& name, TakenNames& taken) {
    const bool is_new = taken.emplace(name, 0).second;
    if (is_new) names_.before.emplace_back(name, std::nullopt);
    return is_new;
  }

  std::string unique_entry_name(const std::string& wanted, TakenNames& taken) {
    if (take(wanted, taken)) return wanted;
    const auto found = taken.find(wanted);
    names_.before.emplace_back(wanted, found->second);
    while (true) {
      const std::string suffix = "_" + std::to_string(++found->second);
      std::size_t length = std::min(wanted.size(), name_bytes_max - suffix.size());
      // Not in the middle of a character.
      while (length < wanted.size() && length > 0 && (static_cast<unsigned char>(wanted[length]) & 0xc0) == 0x80)
        --length;
      std::string candidate = wanted.substr(0, length) + suffix;
      if (take(candidate, taken)) return candidate;
    }
  }

  const RangeTableEntry& entry(int number) const { return query_.entries[static_cast<std::size_t>(number)]; }
  EntryNames& names(int number) { return names_.entries[static_cast<std::size_t>(number)]; }
  const JoinSource& source(const JoinTree& tree) const { return std::get<JoinSource>(entry(tree.entry).source); }

  // A merged column that is no column of a table has no name but the join's own, which must then be unique.
  bool has_computed_using(const JoinTree& tree) const {
    if (tree.is_leaf()) return false;
    const JoinSource& join = source(tree);
    if (entry(tree.entry).alias.empty()) {
      for (std::size_t i = 0; i < join.using_columns.size(); ++i) {
        if (join.columns[i]->as<Column>() == nullptr) return true;
      }
    }
    return has_computed_using(*tree.left) || has_computed_using(*tree.right);
  }

  void mark_named_joins(const JoinTree& tree, const std::vector<int>& around) {
    if (tree.is_leaf()) {
      names(tree.entry).named_joins = around;
      return;
    }
    std::vector<int> inner = around;
    if (!entry(tree.entry).alias.empty()) inner.insert(inner.begin(), tree.entry);
    mark_named_joins(*tree.left, inner);
    mark_named_joins(*tree.right, inner);
  }

  std::vector<JoinColumn> columns_of_join(const JoinTree& tree) const {
    const std::vector<OutputName>& left = entry(tree.left->entry).columns;
    const std::vector<OutputName>& right = entry(tree.right->entry).columns;
    const Names& merged = source(tree).using_columns;
    std::vector<JoinColumn> columns;
    const auto position = [](const std::vector<OutputName>& side, const std::string& name) {
      const auto found =
          std::find_if(side.begin(), side.end(), [&](const OutputName& each) { return each.name == name; });
      return found == side.end() ? -1 : static_cast<int>(found - side.begin());
    };
    for (const std::string& name : merged) columns.push_back({position(left, name), position(right, name)});
    for (std::size_t i = 0; i < left.size(); ++i) {
      if (!left[i].name.empty() && !is_among(merged, left[i].name)) columns.push_back({static_cast<int>(i), -1});
    }
    for (std::size_t i = 0; i < right.size(); ++i) {
      if (!right[i].name.empty() && !is_among(merged, right[i].name)) columns.push_back({-1, static_cast<int>(i)});
    }
    return columns;
  }

  void assign(int number, int column, const std::string& name) {
    if (column < 0) return;
    Names& columns = names(number).columns;
    const auto index = static_cast<std::size_t>(column);
    if (columns.size() <= index) columns.resize(index + 1);
    columns[index] = name;
  }

  bool is_free(int number, const std::string& name) {
    return !is_among(names(number).columns, name) && !is_among(global_using_, name) &&
           !is_among(parent_using_[static_cast<std::size_t>(number)], name);
  }
  std::string unique_column_name(int number, const std::string& wanted) {
    if (is_free(number, wanted)) return wanted;
    for (int i = 1;; ++i) {
      std::string candidate = wanted + "_" + std::to_string(i);
      if (is_free(number, candidate)) return candidate;
    }
  }

  void choose_using_names(const JoinTree& tree, Names parent) {
    if (tree.is_leaf()) return;
    const RangeTableEntry& join = entry(tree.entry);
    const std::vector<JoinColumn> columns = columns_of_join(tree);
    EntryNames& own = names(tree.entry);
    if (join.alias.empty()) {
      // It cannot rename anything itself: what is wanted of it is wanted of its sides.
      for (std::size_t i = 0; i < own.columns.size() && i < columns.size(); ++i) {
        if (own.columns[i].empty()) continue;
        assign(tree.left->entry, columns[i].left, own.columns[i]);
        assign(tree.right->entry, columns[i].right, own.columns[i]);
      }
    }
    const Names& merged = source(tree).using_columns;
    for (std::size_t i = 0; i < merged.size(); ++i) {
      std::string name = i < own.columns.size() ? own.columns[i] : "";
      if (name.empty()) {
        name = unique_column_name(tree.entry, join.columns[i].name);
        if (unique_using_) global_using_.push_back(name);
        assign(tree.entry, static_cast<int>(i), name);
      }
      own.using_columns.push_back(name);
      parent.push_back(name);
      assign(tree.left->entry, columns[i].left, name);
      assign(tree.right->entry, columns[i].right, name);
    }
    parent_using_[static_cast<std::size_t>(tree.left->entry)] = parent;
    parent_using_[static_cast<std::size_t>(tree.right->entry)] = parent;
    choose_using_names(*tree.left, parent);
    choose_using_names(*tree.right, parent);
  }

  void collect_joins() {
    trees_.resize(query_.entries.size());
    for (const JoinTreePtr& tree : query_.from) collect_joins(*tree);
  }
  void collect_joins(const JoinTree& tree) {
    if (tree.is_leaf()) return;
    trees_[static_cast<std::size_t>(tree.entry)] = &tree;
    collect_joins(*tree.left);
    collect_joins(*tree.right);
  }

  void choose_leaf_names(std::size_t number) {
    const RangeTableEntry& leaf = query_.entries[number];
    EntryNames& own = names_.entries[number];
    own.columns.resize(leaf.columns.size());
    const Names real = real_names(leaf);
    bool changed = false;
    for (std::size_t i = 0; i < leaf.columns.size(); ++i) {
      if (leaf.columns[i].name.empty()) continue;
      if (own.columns[i].empty()) own.columns[i] = unique_column_name(static_cast<int>(number), leaf.columns[i].name);
      changed = changed || i >= real.size() || own.columns[i] != real[i];
    }
    own.show_columns = changed || std::holds_alternative<FunctionSource>(leaf.source);
  }

  // What the columns are called where no alias renames them.
  Names real_names(const RangeTableEntry& leaf) const {
    if (const auto* table = std::get_if<TableSource>(&leaf.source)) return names_of(*table->relation);
    if (const auto* view = std::get_if<SystemViewSource>(&leaf.source)) return names_of(*view->relation);
    if (const auto* subquery = std::get_if<SubquerySource>(&leaf.source)) return output_names(*subquery->query);
    if (std::holds_alternative<ValuesSource>(leaf.source)) {
      Names names;
      for (std::size_t i = 1; i <= leaf.columns.size(); ++i) names.push_back("column" + std::to_string(i));
      return names;
    }
    if (const auto* common = std::get_if<CommonTableSource>(&leaf.source)) return common_names(*common);
    return names_of(leaf.columns);
  }
  Names common_names(const CommonTableSource& source) const {
    const Query* owner = &query_;
    if (source.levels_up > 0) {
      const auto up = static_cast<std::size_t>(source.levels_up);
      if (up > outer_.size()) return {};
      owner = outer_[outer_.size() - up].query;
    }
    return names_of(owner->common_tables[static_cast<std::size_t>(source.table)].columns);
  }

  void choose_join_names(std::size_t number) {
    const RangeTableEntry& join = query_.entries[number];
    EntryNames& own = names_.entries[number];
    own.columns.resize(join.columns.size());
    const JoinTree* tree = trees_[number];
    if (tree == nullptr) return;
    const std::vector<JoinColumn> columns = columns_of_join(*tree);
    bool changed = false;
    for (std::size_t i = own.using_columns.size(); i < join.columns.size() && i < columns.size(); ++i) {
      const int side = columns[i].left >= 0 ? tree->left->entry : tree->right->entry;
      const int position = columns[i].left >= 0 ? columns[i].left : columns[i].right;
      const std::string real = names(side).columns[static_cast<std::size_t>(position)];
      if (join.alias.empty()) {
        own.columns[i] = real;
        continue;
      }
      if (own.columns[i].empty()) own.columns[i] = unique_column_name(static_cast<int>(number), join.columns[i].name);
      changed = changed || own.columns[i] != real;
    }
    own.show_columns = !join.alias.empty() && changed;
  }

  const Query& query_;
  std::span<const QueryNames> outer_;  // outermost first
  QueryNames& names_;
  bool unique_using_ = false;
  Names global_using_;
  std::vector<Names> parent_using_;     // by entry: names of USING of the joins around
  std::vector<const JoinTree*> trees_;  // by entry
};

}  // namespace

std::vector<std::string> output_names(const Query& query) { return names_of(output_columns(query)); }

QueryNames choose_names(const Query& query, std::span<const QueryNames> outer, TakenNames& taken,
                        std::span<const std::string_view> reserved) {
  QueryNames names;
  names.query = &query;
  names.entries.resize(query.entries.size());
  NameChooser chooser(query, outer, names);
  chooser.choose_entry_names(taken, reserved);
  chooser.choose_column_names();
  return names;
}

void give_back_names(const QueryNames& names, TakenNames& taken) {
  for (auto each = names.before.rbegin(); each != names.before.rend(); ++each) {
    if (each->second) {
      taken[each->first] = *each->second;
    } else {
      taken.erase(each->first);
    }
  }
}

}  // namespace polarsim::engine::query
