#include "engine/txn/versioned_pages.h"

#include <gtest/gtest.h>

#include <string>

#include "engine/storage/storage_test_support.h"

namespace polarsim::engine::txn {
namespace {

using storage::testing::StorageHost;

VersionedPages pages_of(sim::Host& host) { return {host, "pages", storage::PageKind::commit_log}; }

// What a write that was cut off has put in place is not durable yet, so the next one, which finds nothing to change,
// has to see to that before it returns. Also if the process was started again in between.
TEST(VersionedPages, WriteThatChangesNothingIsDurableToo) {
  for (const bool restart : {false, true}) {
    for (std::int64_t cancel_us = 0; cancel_us < 3000; cancel_us += 20) {
      StorageHost node(static_cast<std::uint64_t>(cancel_us + 1));
      const auto write_again = [](sim::Host& host, VersionedPages& pages) {
        pages.write({}, {}, "second");
        host.crash();
      };
      node.run([&](sim::Host& host) {
        VersionedPages pages = pages_of(host);
        pages.write({}, {}, "first");
        const sim::TaskRef writer = host.spawn("writer", [&] { pages.write({}, {}, "second"); });
        host.scheduler().sleep_for(sim::Duration(cancel_us * 1000));
        host.scheduler().cancel(writer);
        host.scheduler().join(writer);
        if (!restart) write_again(host, pages);
      });
      if (restart) {
        node.run([&](sim::Host& host) {
          VersionedPages pages = pages_of(host);
          pages.load();
          write_again(host, pages);
        });
      }
      node.run([](sim::Host& host) { EXPECT_EQ(pages_of(host).load().note, "second"); });
      ASSERT_TRUE(node.finished()) << node.error() << " " << cancel_us;
      ASSERT_FALSE(HasFailure()) << cancel_us;
    }
  }
}

}  // namespace
}  // namespace polarsim::engine::txn
