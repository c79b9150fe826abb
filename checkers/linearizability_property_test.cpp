// Linearizability against trying every order of a few operations, and against objects that are linearizable by
// construction and stop being so by a defect.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "checkers/linearizability.h"
#include "checkers/linearizability_oracle_test_support.h"

namespace polarsim::checkers {
namespace {

using test::Choices;
using test::ClientOperation;
using test::Defect;
using test::disturb;
using test::edn_of;
using test::linearizable_by_trying;
using test::ObjectRun;
using test::run_clients;
using Object = LinearizabilityOptions::Object;

constexpr std::int64_t the_end = std::int64_t{1} << 40;
constexpr Object objects[] = {Object::simple_register, Object::cas_register, Object::set, Object::queue};

History read(const std::string& text) {
  auto history = read_history(text, "test");
  if (!history) throw std::invalid_argument(history.error().message);
  return std::move(*history);
}

Verdict judge(const std::vector<ClientOperation>& operations, Object object) {
  return check_linearizability(read(edn_of(operations)), {.object = object});
}

// The operation whose completion (or invocation) has this index.
const ClientOperation& operation_at(const std::vector<ClientOperation>& operations, std::int64_t index) {
  for (const ClientOperation& operation : operations) {
    if (operation.completed == index) return operation;
  }
  throw std::invalid_argument("no operation completes there");
}

// What is compared for one tiny history; what differs, or an empty text.
std::string compare(const std::vector<ClientOperation>& operations, Object object, bool whole) {
  const bool set = object == Object::set;
  const Verdict verdict = judge(operations, object);
  const bool expected = linearizable_by_trying(operations, set, the_end);
  if ((verdict.validity == Validity::valid) != expected || verdict.validity == Validity::unknown) {
    return "validity: " + test::text_of(verdict) + edn_of(operations);
  }
  if (expected || (set && !whole)) return "";
  // The prefix that is shown has no linearization, and what ends before its last completion has one.
  const std::int64_t end = operation_at(operations, verdict.anomalies[0].operations[0]).completed;
  if (linearizable_by_trying(operations, set, end)) return "prefix: " + test::text_of(verdict) + edn_of(operations);
  if (!linearizable_by_trying(operations, set, end - 1)) {
    return "a shorter prefix: " + test::text_of(verdict) + edn_of(operations);
  }
  return "";
}

TEST(Linearizability, AgreesWithTryingEveryOrder) {
  std::size_t invalid[4] = {};
  for (std::uint32_t seed = 0; seed < 40'000; ++seed) {
    Choices choices({seed, seed * 7919 + 3, seed ^ 0x5bd1e995U});
    ObjectRun run;
    run.object = objects[seed % 4];
    run.processes = 2 + choices.below(5);
    run.operations = 2 + choices.below(5);
    run.values = 1 + choices.below(3);
    run.distinct = choices.once_in(2);
    run.info_once_in = 2 + choices.below(6);
    run.reads_of_all = choices.once_in(2);
    std::vector<ClientOperation> operations = run_clients(run, choices);
    if (choices.below(4) > 0) disturb(operations, run.distinct ? 8 : run.values, choices);
    const bool whole = std::any_of(operations.begin(), operations.end(), [](const ClientOperation& operation) {
      return operation.f == "read" && operation.outcome == EventType::ok;
    });
    const std::string difference = compare(operations, run.object, whole);
    ASSERT_EQ(difference, "") << "seed " << seed;
    if (!linearizable_by_trying(operations, run.object == Object::set, the_end)) ++invalid[seed % 4];
  }
  // Both verdicts must occur often, or the comparison says little.
  for (const std::size_t count : invalid) {
    EXPECT_GT(count, 1000U);
    EXPECT_LT(count, 9000U);
  }
}

RC_GTEST_PROP(Linearizability, ALinearizableObjectIsNeverAccused, (std::uint8_t which)) {
  ObjectRun run;
  run.object = objects[which % 4];
  Choices choices(*rc::gen::arbitrary<std::vector<std::uint32_t>>());
  run.processes = 1 + choices.below(8);
  run.operations = 100;
  run.values = 1 + choices.below(20);
  run.distinct = run.object == Object::queue || choices.once_in(2);
  run.info_once_in = 10 + choices.below(30);
  run.reads_of_all = choices.once_in(2);
  const std::vector<ClientOperation> operations = run_clients(run, choices);
  const Verdict verdict = judge(operations, run.object);
  if (verdict.validity != Validity::valid) RC_FAIL(test::text_of(verdict) + edn_of(operations));
}

TEST(Linearizability, ThousandsOfLinearizableHistoriesAreValid) {
  for (std::uint32_t seed = 0; seed < 8'000; ++seed) {
    Choices choices({seed, seed * 104729 + 7, seed ^ 0xdeadbeefU});
    ObjectRun run;
    run.object = objects[seed % 4];
    run.processes = 2 + choices.below(6);
    run.operations = 60;
    run.values = 1 + choices.below(40);
    run.distinct = run.object == Object::queue || choices.once_in(2);
    run.info_once_in = 8 + choices.below(40);
    run.reads_of_all = choices.once_in(2);
    const std::vector<ClientOperation> operations = run_clients(run, choices);
    const Verdict verdict = judge(operations, run.object);
    ASSERT_EQ(verdict.validity, Validity::valid) << "seed " << seed << "\n" << test::text_of(verdict);
  }
}

// What is found of a defect in 60 runs.
std::size_t found(Object object, Defect defect, bool reads_of_all = true) {
  std::size_t count = 0;
  for (std::uint32_t seed = 0; seed < 60; ++seed) {
    Choices choices({seed, seed * 7919 + 1});
    ObjectRun run;
    run.object = object;
    run.operations = 800;
    run.values = object == Object::set ? 20 : 4;
    run.distinct = true;
    run.info_once_in = 50;
    run.reads_of_all = reads_of_all;
    run.defect = defect;
    if (judge(run_clients(run, choices), object).validity == Validity::invalid) ++count;
  }
  return count;
}

TEST(Linearizability, PlantedDefectsAreFound) {
  // A lost write that is overwritten before anybody looks leaves no trace, so not every run shows its own.
  EXPECT_EQ(found(Object::cas_register, Defect::stale_read), 60U);
  EXPECT_GE(found(Object::simple_register, Defect::lost_write), 50U);
  EXPECT_GE(found(Object::queue, Defect::repeated_dequeue), 55U);
  EXPECT_GE(found(Object::queue, Defect::lost_enqueue), 55U);
  EXPECT_GE(found(Object::queue, Defect::swapped_dequeue), 55U);
  EXPECT_GE(found(Object::set, Defect::lost_add, true), 50U);
  EXPECT_GE(found(Object::set, Defect::lost_add, false), 30U);
  EXPECT_EQ(found(Object::cas_register, Defect::none), 0U);
}

RC_GTEST_PROP(Linearizability, NamesOfProcessesAndValuesDoNotMatter, (std::uint8_t which)) {
  Choices choices(*rc::gen::arbitrary<std::vector<std::uint32_t>>());
  ObjectRun run;
  run.object = objects[which % 4];
  run.operations = 30;
  run.values = 4;
  std::vector<ClientOperation> operations = run_clients(run, choices);
  disturb(operations, run.values, choices);
  const Validity before = judge(operations, run.object).validity;
  const auto renamed = [](int value) { return value == ClientOperation::no_value ? value : 17 - value; };
  for (ClientOperation& operation : operations) {
    operation.process = 1000 - operation.process;
    operation.argument = renamed(operation.argument);
    if (operation.f == "cas") operation.second = renamed(operation.second);
    if (operation.f == "read" || operation.f == "dequeue") operation.result = renamed(operation.result);
    for (int& element : operation.elements) element = renamed(element);
  }
  RC_ASSERT(judge(operations, run.object).validity == before);
}

}  // namespace
}  // namespace polarsim::checkers
