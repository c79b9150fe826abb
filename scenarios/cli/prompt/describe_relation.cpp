// \d NAME: the columns of a relation, and what belongs to it.
#include <fmt/format.h>

#include <algorithm>

#include "scenarios/cli/prompt/describe.h"
#include "scenarios/cli/prompt/statements.h"

namespace polarsim::scenarios::cli::prompt {

namespace {

// A row of an answer; NULL is "".
class Rows {
 public:
  explicit Rows(Answer answer) : answer_(std::move(answer)) {}
  std::size_t size() const { return answer_.rows; }
  std::string at(std::size_t row, std::size_t column) const {
    return answer_.values[row * answer_.columns.size() + column].value_or("");
  }
  bool is_true(std::size_t row, std::size_t column) const { return at(row, column) == "t"; }

 private:
  Answer answer_;
};

std::string storage_name(const std::string& storage) {
  if (storage == "p") return "plain";
  if (storage == "m") return "main";
  if (storage == "x") return "extended";
  return storage == "e" ? "external" : "???";
}

std::string compression_name(const std::string& compression) {
  if (compression == "p") return "pglz";
  if (compression == "l") return "lz4";
  return compression.empty() ? "" : "???";
}

class RelationDescription {
 public:
  RelationDescription(Session& session, std::string schema, std::string name, std::string oid, bool verbose)
      : session_(session),
        schema_(std::move(schema)),
        name_(std::move(name)),
        oid_(std::move(oid)),
        verbose_(verbose) {}

  bool print() {
    if (!read_class()) return false;
    table_.default_footer = false;
    if (!(kind_ == 'S' ? read_sequence() : read_columns())) return false;
    table_.title = title();
    if (is_index()) {
      if (!read_index()) return false;
    } else if (kind_ != 'S' && !read_footers()) {
      return false;
    }
    // A line for each column of the description of a column would be confusing.
    const Expanded expanded = session_.style.expanded;
    if (kind_ != 'S') session_.style.expanded = Expanded::off;
    print_to_output(session_, table_);
    session_.style.expanded = expanded;
    return true;
  }

 private:
  bool is_index() const { return kind_ == 'i' || kind_ == 'I'; }
  bool is_table() const { return kind_ == 'r' || kind_ == 'p' || kind_ == 'm' || kind_ == 'f' || kind_ == 't'; }

  std::optional<Rows> rows(const std::string& query) {
    auto answer = ask(session_, query);
    if (!answer) return std::nullopt;
    return Rows(std::move(*answer));
  }
  void footer(const std::string& text) { table_.footers.push_back(text); }

  bool read_class() {
    const auto found = rows(
        "SELECT c.relkind, c.relchecks, c.relhasindex, c.relispartition, c.relpersistence, am.amname,\n"
        "  pg_catalog.array_to_string(c.reloptions, ', ')\n"
        "FROM pg_catalog.pg_class c\n  LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam\nWHERE c.oid = '" +
        oid_ + "'");
    if (!found) return false;
    if (found->size() == 0) {
      session_.error("Did not find any relation with OID " + oid_ + ".");
      return false;
    }
    kind_ = found->at(0, 0)[0];
    has_checks_ = found->at(0, 1) != "0";
    has_index_ = found->is_true(0, 2);
    is_partition_ = found->is_true(0, 3);
    unlogged_ = found->at(0, 4) == "u";
    access_method_ = found->at(0, 5);
    options_ = found->at(0, 6);
    return true;
  }

  std::string title() const {
    const char* what = "Table";
    switch (kind_) {
      case 'v':
        what = "View";
        break;
      case 'm':
        what = "Materialized view";
        break;
      case 'S':
        what = "Sequence";
        break;
      case 'i':
        what = "Index";
        break;
      case 'I':
        what = "Partitioned index";
        break;
      case 't':
        what = "TOAST table";
        break;
      case 'c':
        what = "Composite type";
        break;
      case 'f':
        what = "Foreign table";
        break;
      case 'p':
        what = "Partitioned table";
        break;
      default:
        break;
    }
    std::string kind = what;
    if (unlogged_ && (kind_ == 'r' || kind_ == 'm' || kind_ == 'i')) {
      kind[0] = static_cast<char>(kind[0] - 'A' + 'a');
      kind = "Unlogged " + kind;
    }
    return kind + " \"" + schema_ + "." + name_ + "\"";
  }

  bool read_sequence() {
    const auto answer = ask(session_,
                            "SELECT pg_catalog.format_type(seqtypid, NULL) AS \"Type\", seqstart AS \"Start\",\n"
                            "  seqmin AS \"Minimum\", seqmax AS \"Maximum\", seqincrement AS \"Increment\",\n"
                            "  CASE WHEN seqcycle THEN 'yes' ELSE 'no' END AS \"Cycles?\", seqcache AS \"Cache\"\n"
                            "FROM pg_catalog.pg_sequence\nWHERE seqrelid = '" +
                                oid_ + "'");
    if (!answer) return false;
    table_ = table_of(session_, *answer, "");
    table_.default_footer = false;
    const auto owner = rows(
        "SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) || '.' ||\n"
        "  pg_catalog.quote_ident(a.attname), d.deptype\n"
        "FROM pg_catalog.pg_class c\n"
        "  INNER JOIN pg_catalog.pg_depend d ON c.oid = d.refobjid\n"
        "  INNER JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace\n"
        "  INNER JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid\n"
        "WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass\n"
        "  AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass\n"
        "  AND d.objid = '" +
        oid_ + "' AND d.deptype IN ('a', 'i')");
    if (!owner) return false;
    if (owner->size() == 1) {
      footer((owner->at(0, 1) == "a" ? "Owned by: " : "Sequence for identity column: ") + owner->at(0, 0));
    }
    return true;
  }

  // A column of the description: what it is headed with, and the SQL that gives it.
  struct Part {
    const char* header;
    std::string sql;
  };

  bool read_columns() {
    std::vector<Part> parts{{"Column", "a.attname"}, {"Type", "pg_catalog.format_type(a.atttypid, a.atttypmod)"}};
    const bool with_defaults = !is_index() && kind_ != 't';
    if (with_defaults) {
      parts.push_back(
          {"Collation",
           "(SELECT c.collname FROM pg_catalog.pg_collation c, pg_catalog.pg_type t\n"
           "    WHERE c.oid = a.attcollation AND t.oid = a.atttypid AND a.attcollation <> t.typcollation)"});
      parts.push_back({"Nullable", "CASE WHEN a.attnotnull THEN 'not null' ELSE '' END"});
      parts.push_back({"Default",
                       "(SELECT pg_catalog.pg_get_expr(d.adbin, d.adrelid, true) FROM pg_catalog.pg_attrdef d\n"
                       "    WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.atthasdef)"});
    }
    if (is_index()) {
      parts.push_back(
          {"Key?", "CASE WHEN a.attnum <= (SELECT i.indnkeyatts FROM pg_catalog.pg_index i WHERE i.indexrelid = '" +
                       oid_ + "')\n    THEN 'yes' ELSE 'no' END"});
      parts.push_back({"Definition", "pg_catalog.pg_get_indexdef(a.attrelid, a.attnum, true)"});
    }
    if (verbose_) add_verbose_parts(parts);
    std::string query = "SELECT ";
    for (const Part& part : parts) query += part.sql + ",\n  ";
    query += "a.attidentity, a.attgenerated\nFROM pg_catalog.pg_attribute a\nWHERE a.attrelid = '" + oid_ +
             "' AND a.attnum > 0 AND NOT a.attisdropped\nORDER BY a.attnum";
    const auto found = rows(query);
    if (!found) return false;
    for (const Part& part : parts) table_.headers.emplace_back(part.header);
    table_.right.assign(parts.size(), false);
    for (std::size_t row = 0; row < found->size(); ++row) {
      for (std::size_t i = 0; i < parts.size(); ++i) {
        table_.cells.push_back(
            cell(parts[i].header, found->at(row, i), found->at(row, parts.size()), found->at(row, parts.size() + 1)));
      }
    }
    return true;
  }

  void add_verbose_parts(std::vector<Part>& parts) const {
    parts.push_back({"Storage", "a.attstorage"});
    if ((kind_ == 'r' || kind_ == 'p' || kind_ == 'm') && !session_.settings.hide_compression) {
      parts.push_back({"Compression", "a.attcompression"});
    }
    if (kind_ == 'r' || is_index() || kind_ == 'm' || kind_ == 'f' || kind_ == 'p') {
      parts.push_back({"Stats target", "CASE WHEN a.attstattarget = -1 THEN NULL ELSE a.attstattarget END"});
    }
    if (!is_index() && kind_ != 't') {
      parts.push_back({"Description", "pg_catalog.col_description(a.attrelid, a.attnum)"});
    }
  }

  static std::string cell(const std::string& header, const std::string& value, const std::string& identity,
                          const std::string& generated) {
    if (header == "Storage") return storage_name(value);
    if (header == "Compression") return compression_name(value);
    if (header != "Default") return value;
    if (identity == "a") return "generated always as identity";
    if (identity == "d") return "generated by default as identity";
    return generated == "s" ? "generated always as (" + value + ") stored" : value;
  }

  bool read_index() {
    const auto found = rows(
        "SELECT i.indisunique, i.indisprimary, i.indisclustered, i.indisvalid, i.indnullsnotdistinct,\n"
        "  am.amname, n.nspname, c2.relname, pg_catalog.pg_get_expr(i.indpred, i.indrelid, true),\n"
        "  con.condeferrable, con.condeferred, i.indisreplident\n"
        "FROM pg_catalog.pg_index i\n"
        "  JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid\n"
        "  JOIN pg_catalog.pg_class c2 ON c2.oid = i.indrelid\n"
        "  JOIN pg_catalog.pg_namespace n ON n.oid = c2.relnamespace\n"
        "  JOIN pg_catalog.pg_am am ON am.oid = c.relam\n"
        "  LEFT JOIN pg_catalog.pg_constraint con ON con.conrelid = i.indrelid AND con.conindid = i.indexrelid\n"
        "    AND con.contype IN ('p', 'u', 'x') AND NOT i.indimmediate\n"
        "WHERE i.indexrelid = '" +
        oid_ + "'");
    if (!found) return false;
    if (found->size() == 0) return true;
    std::string text;
    if (found->is_true(0, 1)) {
      text = "primary key, ";
    } else if (found->is_true(0, 0)) {
      text = found->is_true(0, 4) ? "unique nulls not distinct, " : "unique, ";
    }
    text += found->at(0, 5) + ", for table \"" + schema_ + "." + found->at(0, 7) + "\"";
    if (!found->at(0, 8).empty()) text += ", predicate (" + found->at(0, 8) + ")";
    if (found->is_true(0, 2)) text += ", clustered";
    if (!found->is_true(0, 3)) text += ", invalid";
    if (found->is_true(0, 9)) text += ", deferrable";
    if (found->is_true(0, 10)) text += ", initially deferred";
    if (found->is_true(0, 11)) text += ", replica identity";
    footer(text);
    return true;
  }

  bool read_footers() {
    if (is_partition_ && !read_partition_of()) return false;
    if (kind_ == 'p' && !read_partition_key()) return false;
    if (is_table()) {
      if (has_index_ && !read_indexes()) return false;
      if (has_checks_ && !read_checks()) return false;
      if ((kind_ == 'r' || kind_ == 'p') && (!read_foreign_keys() || !read_references())) return false;
    }
    if (verbose_ && (kind_ == 'v' || kind_ == 'm') && !read_view_definition()) return false;
    if (is_table() && (!read_parents() || !read_children())) return false;
    if (verbose_ && (kind_ == 'r' || kind_ == 'm') && !access_method_.empty() && !session_.settings.hide_table_method) {
      footer("Access method: " + access_method_);
    }
    if (verbose_ && !options_.empty()) footer("Options: " + options_);
    return true;
  }

  bool read_partition_of() {
    const auto found =
        rows("SELECT i.inhparent::pg_catalog.regclass, pg_catalog.pg_get_expr(c.relpartbound, c.oid)" +
             std::string(verbose_ ? ", pg_catalog.pg_get_partition_constraintdef(i.inhrelid)" : "") +
             "\nFROM pg_catalog.pg_class c JOIN pg_catalog.pg_inherits i ON c.oid = i.inhrelid\nWHERE c.oid = '" +
             oid_ + "'");
    if (!found) return false;
    if (found->size() == 0) return true;
    footer("Partition of: " + found->at(0, 0) + " " + found->at(0, 1));
    if (verbose_) {
      const std::string constraint = found->at(0, 2);
      footer(constraint.empty() ? "No partition constraint" : "Partition constraint: " + constraint);
    }
    return true;
  }

  bool read_partition_key() {
    const auto found = rows("SELECT pg_catalog.pg_get_partkeydef('" + oid_ + "'::pg_catalog.oid)");
    if (!found) return false;
    if (found->size() == 1) footer("Partition key: " + found->at(0, 0));
    return true;
  }

  bool read_indexes() {
    const auto found = rows(
        "SELECT c2.relname, i.indisprimary, i.indisunique, i.indisclustered, i.indisvalid,\n"
        "  pg_catalog.pg_get_indexdef(i.indexrelid, 0, true), pg_catalog.pg_get_constraintdef(con.oid, true),\n"
        "  con.contype, con.condeferrable, con.condeferred, i.indisreplident\n"
        "FROM pg_catalog.pg_index i\n"
        "  JOIN pg_catalog.pg_class c2 ON c2.oid = i.indexrelid\n"
        "  LEFT JOIN pg_catalog.pg_constraint con ON con.conrelid = i.indrelid AND con.conindid = i.indexrelid\n"
        "    AND con.contype IN ('p', 'u', 'x')\n"
        "WHERE i.indrelid = '" +
        oid_ + "'\nORDER BY i.indisprimary DESC, c2.relname");
    if (!found) return false;
    if (found->size() > 0) footer("Indexes:");
    for (std::size_t row = 0; row < found->size(); ++row) footer(index_line(*found, row));
    return true;
  }

  static std::string index_line(const Rows& found, std::size_t row) {
    std::string line = "    \"" + found.at(row, 0) + "\"";
    const std::string kind = found.at(row, 7);
    if (kind == "x") {
      line += " " + found.at(row, 6);
    } else {
      if (found.is_true(row, 1)) {
        line += " PRIMARY KEY,";
      } else if (found.is_true(row, 2)) {
        line += kind == "u" ? " UNIQUE CONSTRAINT," : " UNIQUE,";
      }
      const std::string definition = found.at(row, 5);
      const std::size_t method = definition.find(" USING ");
      line += " " + (method == std::string::npos ? definition : definition.substr(method + 7));
      if (found.is_true(row, 8)) line += " DEFERRABLE";
      if (found.is_true(row, 9)) line += " INITIALLY DEFERRED";
    }
    if (found.is_true(row, 3)) line += " CLUSTER";
    if (!found.is_true(row, 4)) line += " INVALID";
    if (found.is_true(row, 10)) line += " REPLICA IDENTITY";
    return line;
  }

  bool read_checks() {
    const auto found = rows(
        "SELECT r.conname, pg_catalog.pg_get_constraintdef(r.oid, true)\nFROM pg_catalog.pg_constraint r\n"
        "WHERE r.conrelid = '" +
        oid_ + "' AND r.contype = 'c'\nORDER BY 1");
    if (!found) return false;
    if (found->size() > 0) footer("Check constraints:");
    for (std::size_t row = 0; row < found->size(); ++row) {
      footer("    \"" + found->at(row, 0) + "\" " + found->at(row, 1));
    }
    return true;
  }

  bool read_foreign_keys() {
    const auto found = rows(
        "SELECT r.conname, pg_catalog.pg_get_constraintdef(r.oid, true)\nFROM pg_catalog.pg_constraint r\n"
        "WHERE r.conrelid = '" +
        oid_ + "' AND r.contype = 'f' AND r.conparentid = 0\nORDER BY r.conname");
    if (!found) return false;
    if (found->size() > 0) footer("Foreign-key constraints:");
    for (std::size_t row = 0; row < found->size(); ++row) {
      footer("    \"" + found->at(row, 0) + "\" " + found->at(row, 1));
    }
    return true;
  }

  bool read_references() {
    const auto found = rows(
        "SELECT r.conname, r.conrelid::pg_catalog.regclass, pg_catalog.pg_get_constraintdef(r.oid, true)\n"
        "FROM pg_catalog.pg_constraint r\nWHERE r.confrelid = '" +
        oid_ + "' AND r.contype = 'f' AND r.conparentid = 0\nORDER BY r.conname");
    if (!found) return false;
    if (found->size() > 0) footer("Referenced by:");
    for (std::size_t row = 0; row < found->size(); ++row) {
      footer("    TABLE \"" + found->at(row, 1) + "\" CONSTRAINT \"" + found->at(row, 0) + "\" " + found->at(row, 2));
    }
    return true;
  }

  bool read_view_definition() {
    const auto found = rows("SELECT pg_catalog.pg_get_viewdef('" + oid_ + "'::pg_catalog.oid, true)");
    if (!found) return false;
    footer("View definition:");
    if (found->size() == 1) footer(found->at(0, 0));
    return true;
  }

  bool read_parents() {
    const auto found = rows(
        "SELECT c.oid::pg_catalog.regclass\nFROM pg_catalog.pg_class c, pg_catalog.pg_inherits i\n"
        "WHERE c.oid = i.inhparent AND i.inhrelid = '" +
        oid_ + "' AND c.relkind <> 'p' AND c.relkind <> 'I'\nORDER BY i.inhseqno");
    if (!found) return false;
    add_list("Inherits: ", *found);
    return true;
  }

  bool read_children() {
    const auto found = rows(
        "SELECT c.oid::pg_catalog.regclass, pg_catalog.pg_get_expr(c.relpartbound, c.oid)\n"
        "FROM pg_catalog.pg_class c, pg_catalog.pg_inherits i\n"
        "WHERE c.oid = i.inhrelid AND i.inhparent = '" +
        oid_ +
        "'\nORDER BY pg_catalog.pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT',\n"
        "  c.oid::pg_catalog.regclass::pg_catalog.text");
    if (!found) return false;
    if (kind_ == 'p' && (!verbose_ || found->size() == 0)) {
      footer(fmt::format("Number of partitions: {}{}", found->size(),
                         found->size() > 0 ? " (Use \\d+ to list them.)" : ""));
    } else if (verbose_) {
      add_list(kind_ == 'p' ? "Partitions: " : "Child tables: ", *found);
    } else if (found->size() > 0) {
      footer(fmt::format("Number of child tables: {} (Use \\d+ to list them.)", found->size()));
    }
    return true;
  }

  void add_list(const std::string& label, const Rows& found) {
    for (std::size_t row = 0; row < found.size(); ++row) {
      std::string line = row == 0 ? label : std::string(label.size(), ' ');
      line += found.at(row, 0);
      if (kind_ == 'p') line += " " + found.at(row, 1);
      if (row + 1 < found.size()) line += ",";
      footer(line);
    }
  }

  Session& session_;
  const std::string schema_;
  const std::string name_;
  const std::string oid_;
  const bool verbose_;
  char kind_ = 'r';
  bool has_checks_ = false;
  bool has_index_ = false;
  bool is_partition_ = false;
  bool unlogged_ = false;
  std::string access_method_;
  std::string options_;
  Table table_;
};

}  // namespace

bool describe_relations(Session& session, const Pattern& pattern, const DescribeOptions& options) {
  const auto conditions =
      pattern_conditions(session, pattern, "c.relname", "n.nspname", "pg_catalog.pg_table_is_visible(c.oid)");
  if (!conditions) return false;
  const auto answer = ask(session,
                          "SELECT c.oid, n.nspname, c.relname\nFROM pg_catalog.pg_class c\n"
                          "  LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace\nWHERE true" +
                              *conditions + "\nORDER BY 2, 3");
  if (!answer) return false;
  const Rows found(*answer);
  if (found.size() == 0) {
    if (!session.settings.quiet) session.error("Did not find any relation named \"" + pattern.value_or("") + "\".");
    return false;
  }
  for (std::size_t row = 0; row < found.size(); ++row) {
    RelationDescription description(session, found.at(row, 1), found.at(row, 2), found.at(row, 0), options.verbose);
    if (!description.print()) return false;
  }
  return true;
}

}  // namespace polarsim::scenarios::cli::prompt
