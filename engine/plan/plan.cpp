#include "engine/plan/plan.h"

namespace polarsim::engine::plan {

POLARSIM_DEFINE_VALUE_TYPE(Plan);

const char* to_string(PlanJoin join) {
  switch (join) {
    case PlanJoin::inner:
      return "Inner";
    case PlanJoin::left:
      return "Left";
    case PlanJoin::right:
      return "Right";
    case PlanJoin::full:
      return "Full";
    case PlanJoin::semi:
      return "Semi";
    case PlanJoin::anti:
      return "Anti";
  }
  return "";
}

}  // namespace polarsim::engine::plan
