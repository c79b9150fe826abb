#include "checkers/consistency_models.h"

#include <gtest/gtest.h>

#include "checkers/checkers.h"
#include "checkers/levels.h"

namespace polarsim::checkers {
namespace {

using Names = std::vector<std::string>;

TEST(ConsistencyModels, KnowsFiftyFourNames) {
  EXPECT_EQ(all_model_names().size(), 54U);
  EXPECT_TRUE(is_known_level("PL-2.99"));
  EXPECT_TRUE(is_known_level("strict-serializable"));
  EXPECT_FALSE(is_known_level("sort-of-serializable"));
  // Beside those the exact levels, of which six are among Elle's names.
  EXPECT_EQ(known_levels().size(), 54U + exact_level_names().size() - 6);
  EXPECT_EQ(friendly_model_name("PL-2"), "read-committed");
  EXPECT_EQ(friendly_model_name("strict-serializable"), "strong-serializable");
}

TEST(ConsistencyModels, BoundariesAreTheWeakestModelsRuledOut) {
  EXPECT_EQ(boundary_of({"G0"}).not_models, Names{"read-uncommitted"});
  EXPECT_EQ(boundary_of({"G1a"}).not_models, Names{"read-committed"});
  EXPECT_EQ(boundary_of({"incompatible-order"}).not_models, Names{"read-committed"});
  EXPECT_EQ(boundary_of({"G-single-item"}).not_models, (Names{"consistent-view", "repeatable-read"}));
  EXPECT_EQ(boundary_of({"G-nonadjacent-item"}).not_models, (Names{"repeatable-read", "snapshot-isolation"}));
  EXPECT_EQ(boundary_of({"lost-update"}).not_models, (Names{"cursor-stability", "update-atomic"}));
  EXPECT_EQ(boundary_of({"internal"}).not_models, Names{"read-atomic"});
  EXPECT_EQ(boundary_of({"G0-realtime"}).not_models, Names{"strong-read-uncommitted"});
  EXPECT_EQ(boundary_of({"G-single-item-process"}).not_models, Names{"strong-session-snapshot-isolation"});
  const Boundary skew = boundary_of({"G2-item"});
  EXPECT_EQ(skew.not_models, Names{"repeatable-read"});
  EXPECT_EQ(skew.also_not, (Names{"serializable", "strong-serializable", "strong-session-serializable"}));
  EXPECT_TRUE(boundary_of({}).not_models.empty());
  EXPECT_TRUE(boundary_of({"G2-item-realtime"}).also_not.empty());
}

TEST(ConsistencyModels, LevelsForbidWhatTheirWeakerLevelsForbid) {
  const NameSet committed = anomalies_prohibited_by("read-committed");
  for (const char* name : {"G0", "G1a", "G1b", "G1c", "dirty-update", "duplicate-elements", "thin-air-read"})
    EXPECT_TRUE(committed.contains(name)) << name;
  for (const char* name : {"G-single-item", "lost-update", "internal", "G0-process"})
    EXPECT_FALSE(committed.contains(name)) << name;
  const NameSet strict = anomalies_prohibited_by("strict-serializable");
  for (const std::string& name : committed) EXPECT_TRUE(strict.contains(name)) << name;
  EXPECT_TRUE(strict.contains("G2-item-realtime"));
  EXPECT_FALSE(anomalies_prohibited_by("serializable").contains("G2-item-process"));
}

}  // namespace
}  // namespace polarsim::checkers
