// The tree of names: what operations do to it and what a power loss leaves of it. (Errors and their precedence are
// compared with a real file system in disk_conformance_test.cpp.)
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sim/crash_states.h"
#include "sim/test_world.h"

namespace polarsim::sim {
namespace {

class DiskTreeTest : public ::testing::Test {
 protected:
  DiskTreeTest() { set(false); }

  void set(bool unordered) {
    DiskParameters parameters;
    parameters.read_latency = parameters.write_latency = parameters.sync_latency =
        DurationDistribution::constant(Duration(0));
    parameters.bandwidth_bytes_per_s = 0;
    parameters.unordered_names = unordered;
    disk().set_parameters(parameters);
  }
  Disk& disk() { return world_.host("h").disk(); }
  File open(const std::string& path) {
    const auto file = disk().open(path, OpenMode::create);
    EXPECT_TRUE(file) << path << ": " << to_string(file.error());
    return *file;
  }
  void directories(std::initializer_list<const char*> paths) {
    for (const char* path : paths) {
      ASSERT_TRUE(disk().make_directory(path));
      ASSERT_TRUE(disk().sync_directory());
    }
  }
  // The paths that are durable.
  std::string durable() {
    std::string paths;
    for (const auto& [path, entry] : durable_image(disk()).entries) paths += path + " ";
    return paths;
  }

  TestWorld world_{std::initializer_list<const char*>{"h"}};
};

TEST_F(DiskTreeTest, AFileNeedsItsDirectory) {
  EXPECT_EQ(disk().open("d/f", OpenMode::create).error(), DiskError::not_found);
  directories({"d"});
  open("d/f");
  EXPECT_EQ(disk().open("d/f/g", OpenMode::create).error(), DiskError::not_a_directory);
  EXPECT_EQ(disk().remove_directory("d").error(), DiskError::not_empty);
  ASSERT_TRUE(disk().remove("/d//f"));
  ASSERT_TRUE(disk().remove_directory("d/"));
  EXPECT_FALSE(disk().exists("d"));
}

TEST_F(DiskTreeTest, StatusAndLists) {
  directories({"d", "d/e"});
  ASSERT_TRUE(open("d/f").write(0, "four"));
  open("d.txt");
  const auto file = disk().status("d/f");
  ASSERT_TRUE(file);
  EXPECT_FALSE(file->is_directory);
  EXPECT_EQ(file->size, 4u);
  EXPECT_TRUE(disk().status("d/e")->is_directory);
  EXPECT_NE(disk().status("d/e")->id, file->id);
  EXPECT_EQ(disk().status("d/x").error(), DiskError::not_found);
  EXPECT_EQ(*disk().list_directory("d"), (std::vector<DirectoryEntry>{{"e", true}, {"f", false}}));
  EXPECT_EQ(disk().list_directory("d/f").error(), DiskError::not_a_directory);
  EXPECT_EQ(disk().list(), (std::vector<std::string>{"d.txt", "d/f"})) << "sorted as whole paths";
  EXPECT_EQ(disk().list("d/"), (std::vector<std::string>{"d/f"}));
  EXPECT_EQ(disk().list("d"), (std::vector<std::string>{"d.txt", "d/f"}));
  EXPECT_TRUE(disk().list("x/").empty());
}

TEST_F(DiskTreeTest, AnOpenFileFollowsItsDirectory) {
  directories({"d", "e"});
  File file = open("d/f");
  const std::uint64_t id = disk().status("d/f")->id;
  ASSERT_TRUE(disk().rename("d", "e/d"));
  EXPECT_EQ(file.path(), "e/d/f");
  EXPECT_EQ(disk().status("e/d/f")->id, id);
  ASSERT_TRUE(file.write(0, "x"));
  EXPECT_EQ(disk().clean_contents("e/d/f"), "x");
  EXPECT_EQ(disk().rename("e", "e/d/e").error(), DiskError::invalid);
}

TEST_F(DiskTreeTest, TruncateAtOpenGivesSpaceBack) {
  DiskParameters parameters = disk().parameters();
  parameters.capacity_bytes = 10;
  disk().set_parameters(parameters);
  ASSERT_TRUE(open("f").write(0, "0123456789"));
  EXPECT_EQ(open("g").write(0, "x").error(), DiskError::no_space);
  EXPECT_EQ(disk().open("f", OpenMode::existing, {.truncate = true})->size(), 0u);
  EXPECT_TRUE(open("g").write(0, "x"));
}

TEST_F(DiskTreeTest, ReplacingAFileByARenameGivesItsSpaceBack) {
  directories({"d"});
  DiskParameters parameters = disk().parameters();
  parameters.capacity_bytes = 10;
  disk().set_parameters(parameters);
  ASSERT_TRUE(open("f").write(0, "01234"));
  ASSERT_TRUE(open("d/g").write(0, "56789"));
  ASSERT_TRUE(disk().rename("d/g", "f"));
  EXPECT_TRUE(open("h").write(0, "01234"));
  EXPECT_EQ(open("h").write(5, "x").error(), DiskError::no_space);
}

TEST_F(DiskTreeTest, ASyncOfADirectoryKeepsItsNamesAndThoseBeforeThem) {
  directories({"d", "e"});
  open("d/a");
  open("e/b");
  open("d/c");
  ASSERT_TRUE(disk().sync_directory("e"));
  EXPECT_EQ(durable(), "d d/a e e/b ") << "the journal is in order, and ends with the last change of e";
  ASSERT_TRUE(disk().sync_directory());
  EXPECT_EQ(durable(), "d d/a e e/b ") << "the root has no changes";
  ASSERT_TRUE(disk().sync_directory("d"));
  EXPECT_EQ(durable(), "d d/a d/c e e/b ");
  EXPECT_EQ(disk().sync_directory("x").error(), DiskError::not_found);
  EXPECT_EQ(disk().sync_directory("d/a").error(), DiskError::not_a_directory);
}

TEST_F(DiskTreeTest, WithoutOrderASyncKeepsTheNamesOfItsDirectoryOnly) {
  set(true);
  directories({"d", "e"});
  open("d/a");
  open("e/b");
  ASSERT_TRUE(disk().sync_directory("e"));
  EXPECT_EQ(durable(), "d e e/b ");
  open("d/c");
  ASSERT_TRUE(disk().rename("d/c", "e/c"));
  ASSERT_TRUE(disk().sync_directory("e"));
  EXPECT_EQ(durable(), "d d/a e e/b e/c ") << "the rename brings what came before it in both directories";
}

TEST_F(DiskTreeTest, ANewDirectoryWithoutASyncOfItsParentIsLostWithItsFiles) {
  set(true);
  ASSERT_TRUE(disk().make_directory("d"));
  ASSERT_TRUE(open("d/f").sync());
  ASSERT_TRUE(disk().sync_directory("d"));
  EXPECT_EQ(durable(), "");
  ASSERT_TRUE(disk().sync_directory());
  EXPECT_EQ(durable(), "d d/f ");
}

TEST_F(DiskTreeTest, TheRenameOfADirectoryComesAfterEverythingBefore) {
  set(true);
  directories({"d", "e"});
  open("e/x");
  ASSERT_TRUE(disk().rename("d", "g"));
  ASSERT_TRUE(disk().sync_directory());
  EXPECT_EQ(durable(), "e e/x g ");
}

TEST_F(DiskTreeTest, ChangesMadeDuringASyncBelongToTheNext) {
  directories({"d"});
  DiskParameters parameters = disk().parameters();
  parameters.sync_latency = DurationDistribution::constant(std::chrono::milliseconds(1));
  disk().set_parameters(parameters);
  open("d/before");
  world_.spawn("h", [&] { EXPECT_TRUE(disk().sync_directory("d")); });
  world_.simulation.scheduler().call_at(time_zero + std::chrono::microseconds(500), [&] { open("d/during"); });
  world_.run();
  EXPECT_EQ(durable(), "d d/before ");
}

}  // namespace
}  // namespace polarsim::sim
