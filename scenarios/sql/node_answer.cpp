#include "scenarios/sql/node_answer.h"

#include "engine/types/error.h"
#include "engine/types/text_form.h"

namespace polarsim::scenarios::sql {

using namespace engine;

Answer answer_of(const QueryResult& result, const CallContext& context) {
  Answer answer;
  answer.tag = result.tag;
  for (const ErrorFields& notice : result.notices)
    answer.notices.push_back((notice.severity.empty() ? "WARNING" : notice.severity) + ": " + notice.message);
  answer.has_rows = !result.columns.empty() || result.tag.starts_with("SELECT");
  for (const ResultColumn& column : result.columns)
    answer.columns.push_back({column.name, type_oid(column.type.id), column.number});
  for (const Row& row : result.rows) {
    AnswerRow& texts = answer.rows.emplace_back();
    for (std::size_t i = 0; i < row.size(); ++i) {
      texts.emplace_back();
      if (!row[i].is_null()) texts.back() = output_value(row[i], result.columns[i].type.id, context);
    }
  }
  return answer;
}

Answer answer_of(const SqlError& error) {
  const ErrorFields& fields = error.fields();
  Answer answer;
  answer.error = AnswerError{fields.sqlstate, fields.message, fields.detail, fields.hint, fields.position};
  for (const std::string* name : {&fields.object.schema, &fields.object.table, &fields.object.column,
                                  &fields.object.data_type, &fields.object.constraint}) {
    if (!name->empty()) answer.error->about += (answer.error->about.empty() ? "" : ".") + *name;
  }
  answer.context = fields.context;
  return answer;
}

}  // namespace polarsim::scenarios::sql
