// Savepoints of any nesting against a model that knows for each identifier only which savepoints it depends on.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "engine/txn/transaction_test_support.h"

namespace polarsim::engine::txn {
namespace {

using testing::OpenTransactions;
using testing::TransactionHost;

struct Step {
  enum class Kind { assign, savepoint, release, roll_back, commit, abort, prepare, checkpoint };
  Kind kind = Kind::assign;
  int name = 0;
};

std::ostream& operator<<(std::ostream& out, const Step& step) {
  return out << static_cast<int>(step.kind) << "(" << step.name << ")";
}

rc::Gen<Step> any_step() {
  return rc::gen::build<Step>(
      rc::gen::set(&Step::kind,
                   rc::gen::map(rc::gen::inRange(0, 14),
                                [](int kind) { return static_cast<Step::Kind>(kind > 7 ? kind % 4 : kind); })),
      rc::gen::set(&Step::name, rc::gen::inRange(0, 3)));
}

// Each savepoint is a frame with the identifiers that hang on it.
struct Model {
  struct Frame {
    int name = -1;
    std::set<Xid> xids;
  };
  std::vector<Frame> frames{{}};
  std::map<Xid, std::string> ended;

  // The frame of that name; 0 if there is none.
  std::size_t find(int name) const {
    for (std::size_t i = frames.size(); i-- > 1;) {
      if (frames[i].name == name) return i;
    }
    return 0;
  }
  void end_from(std::size_t first, const std::string& fate) {
    for (std::size_t i = first; i < frames.size(); ++i) {
      for (const Xid xid : frames[i].xids) ended[xid] = fate;
    }
    frames.resize(first);
  }
};

class Interpreter {
 public:
  Interpreter(OpenTransactions& open, Model& model) : open_(open), model_(model), backend_(open.host, 1) {
    transaction_ = &open.manager.begin(backend_);
  }
  void step(const Step& step) {
    const std::string name = std::to_string(step.name);
    const std::size_t frame = model_.find(step.name);
    switch (step.kind) {
      case Step::Kind::assign: {
        const Xid xid = open_.manager.assign_xid(*transaction_);
        transaction_->wrote = true;
        // Those of the parents came with it.
        RC_ASSERT(model_.frames.size() == transaction_->levels.size());
        Xid parent = storage::invalid_xid;
        for (std::size_t i = 0; i < transaction_->levels.size(); ++i) {
          const Xid own = transaction_->levels[i].xid;
          model_.frames[i].xids.insert(own);
          RC_ASSERT(storage::xid_precedes(parent, own));
          parent = own;
        }
        RC_ASSERT(xid == transaction_->levels.back().xid);
        break;
      }
      case Step::Kind::savepoint:
        open_.manager.savepoint(*transaction_, name);
        model_.frames.push_back({step.name, {}});
        break;
      case Step::Kind::release:
      case Step::Kind::roll_back: {
        const bool release = step.kind == Step::Kind::release;
        const std::string outcome = testing::outcome([&] {
          release ? open_.manager.release(*transaction_, name) : open_.manager.rollback_to(*transaction_, name);
        });
        RC_ASSERT(outcome == (frame == 0 ? "3B001 savepoint \"" + name + "\" does not exist" : ""));
        if (frame == 0) break;
        if (release) {
          for (std::size_t i = frame; i < model_.frames.size(); ++i) {
            model_.frames[frame - 1].xids.merge(model_.frames[i].xids);
          }
          model_.frames.resize(frame);
        } else {
          model_.end_from(frame, "aborted");
          model_.frames.push_back({step.name, {}});
        }
        break;
      }
      case Step::Kind::commit:
      case Step::Kind::abort: {
        const bool commit = step.kind == Step::Kind::commit;
        commit ? open_.manager.commit(*transaction_) : open_.manager.abort(*transaction_);
        model_.end_from(0, commit ? "committed" : "aborted");
        begin();
        break;
      }
      case Step::Kind::prepare: {
        const std::string gid = "g" + std::to_string(++gids_);
        open_.manager.prepare(*transaction_, gid);
        begin_after_prepare(gid, step.name == 0);
        break;
      }
      case Step::Kind::checkpoint:
        open_.checkpointer.run();
        break;
    }
    check();
  }
  void check() const {
    for (const auto& [xid, fate] : model_.ended) RC_ASSERT(open_.status(xid) == fate);
    std::size_t open_ones = 0;
    for (std::size_t i = 0; i < model_.frames.size(); ++i) {
      for (const Xid xid : model_.frames[i].xids) {
        RC_ASSERT(open_.status(xid) == "in progress");
        RC_ASSERT(open_.manager.is_own(*transaction_, xid));
        RC_ASSERT(open_.manager.top_of(xid) == transaction_->top_xid());
        // Nobody waits for a released savepoint by itself.
        const bool released = xid != transaction_->levels[i].xid;
        RC_ASSERT(open_.locks.holds(backend_, LockTag::of_transaction(xid), LockMode::exclusive) == !released);
        open_ones += released ? 0 : 1;
      }
    }
    // Every other lock is gone.
    RC_ASSERT(open_.locks.locked_things() == open_ones);
  }

 private:
  void begin() {
    transaction_ = &open_.manager.begin(backend_);
    model_.frames.assign(1, {});
  }
  void begin_after_prepare(const std::string& gid, bool commit) {
    for (const Model::Frame& frame : model_.frames) {
      for (const Xid xid : frame.xids) RC_ASSERT(open_.status(xid) == "in progress");
    }
    open_.manager.finish_prepared(gid, commit);
    model_.end_from(0, commit ? "committed" : "aborted");
    begin();
  }

  OpenTransactions& open_;
  Model& model_;
  Backend backend_;
  Transaction* transaction_;
  int gids_ = 0;
};

RC_GTEST_PROP(TransactionProperty, SavepointsDecideAsTheModel, ()) {
  const auto program = *rc::gen::container<std::vector<Step>>(any_step());
  TransactionHost node;
  node.config.initial_xid = *rc::gen::element<std::uint32_t>(3, 0xFFFFFFF5);
  Model model;
  node.run_transactions([&](OpenTransactions& open) {
    Interpreter interpreter(open, model);
    for (const Step& step : program) interpreter.step(step);
    open.manager.log().wal().flush(open.manager.log().wal().end());
    open.host.crash();
  });
  RC_ASSERT(node.error().empty());
  model.end_from(0, "aborted");
  node.run_transactions([&](OpenTransactions& open) {
    for (const auto& [xid, fate] : model.ended) RC_ASSERT(open.status(xid) == fate);
  });
  RC_ASSERT(node.finished());
}

}  // namespace
}  // namespace polarsim::engine::txn
