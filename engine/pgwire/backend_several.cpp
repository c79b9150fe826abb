// Several statements of one message, and what a pipeline is before its Sync: the part of Backend that makes
// transactions of them.
#include <utility>

#include "engine/pgwire/backend.h"

namespace polarsim::engine::pgwire {

// What stands outside of a block is in one that the client does not know of. Nobody hears of what was done in it before
// that is decided, one way or the other.
class Backend::SeveralStatements {
 public:
  SeveralStatements(Backend& backend, const std::string& text)
      : backend_(backend), text_(text), block_(backend.session_) {}

  void run(const syntax::StatementPtr& statement) {
    if (!block_.is_open() && ImplicitBlock::contains(*statement) &&
        backend_.session_->status() == TransactionStatus::idle)
      block_.begin();
    if (!block_.is_open()) return backend_.run_and_tell({statement, text_});
    if (std::holds_alternative<syntax::TransactionControl>(statement->body)) {
      keep(block_.control({statement, text_}), false);
      return tell();
    }
    // The rows of COPY go their own way: what was before them, and its end, are told in their order.
    if (std::holds_alternative<syntax::Copy>(statement->body)) tell();
    keep(backend_.run_statement({statement, text_}), std::holds_alternative<syntax::Select>(statement->body));
    if (kept_.back().result.tag.starts_with("COPY ")) tell();
  }
  void commit() {
    if (!block_.is_open()) return;
    QueryResult end = block_.commit();
    if (!kept_.empty()) {
      auto& notices = kept_.back().result.notices;
      notices.insert(notices.end(), end.notices.begin(), end.notices.end());
    }
    tell();
  }
  // After an error, which is told last.
  void rollback() {
    if (block_.is_open()) block_.rollback();
    tell();
  }

 private:
  struct Kept {
    QueryResult result;  // without its rows
    std::vector<DataRow> rows;
    bool gives_rows = false;
  };

  // Values are written as they are now: names of objects and settings may change with the next statement.
  void keep(QueryResult result, bool gives_rows) {
    Kept& kept = kept_.emplace_back();
    kept.gives_rows = gives_rows || !result.columns.empty() || !result.rows.empty();
    backend_.write_rows(result, {}, [&kept](const DataRow& row) { kept.rows.push_back(row); });
    result.rows.clear();
    kept.result = std::move(result);
  }
  void tell() {
    for (const Kept& kept : kept_) {
      backend_.describe_rows(kept.result, Describing::rows, kept.gives_rows);
      for (const DataRow& row : kept.rows) backend_.send(row);
      backend_.send(CommandComplete{kept.result.tag});
    }
    kept_.clear();
  }

  Backend& backend_;
  const std::string& text_;
  ImplicitBlock block_;
  std::vector<Kept> kept_;
};

void Backend::run_several(const std::vector<syntax::StatementPtr>& statements, const std::string& text) {
  SeveralStatements several(*this, text);
  try {
    for (const syntax::StatementPtr& statement : statements) several.run(statement);
    several.commit();
  } catch (const SessionTerminated&) {
    throw;
  } catch (const SqlError&) {
    several.rollback();
    throw;
  }
}

// A statement with a Sync right behind it is a transaction as it is, which is all that most clients send.
bool Backend::begin_pipeline(const Execute& message) {
  const auto found = portals_.find(message.portal);
  const bool alone = found == portals_.end() || found->second.ran || !found->second.prepared.statement ||
                     pipeline_.is_open() || session_->status() != TransactionStatus::idle;
  if (alone) return true;
  const syntax::Statement& statement = *found->second.prepared.statement;
  if (!ImplicitBlock::contains(statement) || ImplicitBlock::refuses_blocks(statement)) return true;
  while (!decoder_.next_type()) {
    if (!fill()) return false;
  }
  if (decoder_.next_type() != 'S') answer([this] { pipeline_.begin(); });
  return true;
}

void Backend::end_pipeline() {
  if (!pipeline_.is_open()) return;
  answer([this] {
    const bool failed = session_->status() == TransactionStatus::failed;
    describe_rows(failed ? pipeline_.rollback() : pipeline_.commit(), Describing::nothing, false);
  });
}

}  // namespace polarsim::engine::pgwire
