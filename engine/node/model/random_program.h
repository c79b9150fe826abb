// Random programs for RapidCheck. For tests only.
#pragma once

#include <rapidcheck.h>

#include <ostream>

#include "engine/node/model/state_machine.h"

namespace polarsim::engine::model {

inline std::ostream& operator<<(std::ostream& out, const Action& action) {
  return out << action.session << ": " << to_sql(action.statement);
}

// Few ids and values, so that sessions meet.
inline rc::Gen<int> any_id() { return rc::gen::inRange(1, 5); }

inline rc::Gen<Condition> any_condition() {
  return rc::gen::exec([] {
    Condition condition;
    condition.kind = *rc::gen::weightedElement<Condition::Kind>({{10, Condition::Kind::id_is},
                                                                 {2, Condition::Kind::all},
                                                                 {2, Condition::Kind::v_is},
                                                                 {3, Condition::Kind::v_at_least}});
    condition.number = condition.kind == Condition::Kind::id_is ? *any_id() : 10 * *rc::gen::inRange(1, 4);
    return condition;
  });
}

inline rc::Gen<Statement::Kind> any_kind() {
  using Kind = Statement::Kind;
  return rc::gen::weightedElement<Kind>({{2, Kind::select},
                                         {5, Kind::select_for},
                                         {5, Kind::insert},
                                         {7, Kind::update},
                                         {2, Kind::update_key},
                                         {3, Kind::remove},
                                         {8, Kind::begin},
                                         {2, Kind::begin_repeatable_read},
                                         {3, Kind::commit},
                                         {2, Kind::rollback},
                                         {3, Kind::savepoint},
                                         {2, Kind::rollback_to},
                                         {1, Kind::release}});
}

inline rc::Gen<Statement> any_statement() {
  return rc::gen::exec([] {
    using Kind = Statement::Kind;
    Statement statement;
    statement.kind = *any_kind();
    statement.table = *rc::gen::weightedElement<int>({{4, 0}, {1, 1}});
    switch (statement.kind) {
      case Kind::insert: {
        const int count = *rc::gen::weightedElement<int>({{4, 1}, {1, 2}});
        for (int i = 0; i < count; ++i) statement.rows.push_back({*any_id(), *rc::gen::inRange(1, 4)});
        statement.on_conflict = static_cast<Statement::OnConflict>(*rc::gen::inRange(0, 4));
        statement.number = 10 * *rc::gen::inRange(1, 4);
        break;
      }
      case Kind::update:
        statement.condition = *any_condition();
        statement.number = *rc::gen::element(1, 5, 10, -10);
        break;
      case Kind::update_key:
        statement.condition = {Condition::Kind::id_is, *any_id()};
        statement.number =
            *rc::gen::weightedOneOf<int>({{3, any_id()}, {1, rc::gen::just(statement.condition.number)}});
        break;
      case Kind::select_for:
        statement.strength = static_cast<Strength>(*rc::gen::inRange(0, 4));
        statement.policy = *rc::gen::weightedElement<WaitPolicy>(
            {{4, WaitPolicy::block}, {1, WaitPolicy::nowait}, {1, WaitPolicy::skip_locked}});
        statement.condition = *any_condition();
        break;
      case Kind::select:
      case Kind::remove:
        statement.condition = *any_condition();
        break;
      case Kind::savepoint:
      case Kind::rollback_to:
      case Kind::release:
        statement.number = *rc::gen::inRange(1, 3);
        break;
      default:
        break;
    }
    return statement;
  });
}

inline rc::Gen<Program> any_program(int sessions) {
  // Sessions get in each other's way only once several have transactions open, so short programs say little.
  return rc::gen::scale(2.0, rc::gen::container<Program>(
                                 rc::gen::build<Action>(rc::gen::set(&Action::session, rc::gen::inRange(0, sessions)),
                                                        rc::gen::set(&Action::statement, any_statement()))));
}

}  // namespace polarsim::engine::model
