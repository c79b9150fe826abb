// The rows of COPY TO in the formats text and csv (PostgreSQL's CopyOneRowTo(), src/backend/commands/copyto.c).
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/copy/options.h"
#include "engine/copy/rows.h"

namespace polarsim::engine::copy {

class Writer final : public RowWriter {
 public:
  // `force_quote`: for each column, in order.
  Writer(const Options& options, std::vector<bool> force_quote);

  void field(std::string& out, std::string_view text) override;
  void null(std::string& out) override;
  void end_row(std::string& out) override;
  // A line of the columns' names, if the options ask for one.
  void header(std::string& out, std::span<const std::string> names) override;
  void trailer(std::string& /*out*/) override {}

 private:
  void begin_field(std::string& out);
  void text_field(std::string& out, std::string_view text) const;
  void csv_field(std::string& out, std::string_view text, bool quoted) const;
  bool needs_quotes(std::string_view text) const;

  const Options options_;
  const std::vector<bool> force_quote_;
  std::array<char, 256> escapes_{};  // what stands behind the backslash in the place of a byte; zero: the byte itself
  std::array<bool, 256> quoted_for_{};  // bytes that a field without quotes must not have
  std::size_t column_ = 0;
};

}  // namespace polarsim::engine::copy
