#include "sim/trace_file.h"

#include <fmt/format.h>
#include <zstd.h>

#include <algorithm>
#include <utility>

#include "sim/assert.h"
#include "sim/digest.h"
#include "sim/trace_columns.h"

namespace polarsim::sim {
namespace {

constexpr std::string_view magic = "polarsim-trace\r\n";
constexpr std::uint32_t version = 1;
constexpr std::size_t header_bytes = 32;
constexpr std::size_t frame_bytes = 32;
constexpr std::size_t hashed_bytes = 24;  // of the header and of a frame's head
constexpr std::uint32_t block_tag = 0x314B4C42;
constexpr std::uint32_t end_tag = 0x31444E45;
constexpr std::size_t end_bytes = 16;
// Far above what a block holds; what a reader allocates at most.
constexpr std::size_t plain_bytes_max = 256 * 1024 * 1024;

template <typename T>
void put_number(std::string& out, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) out.push_back(static_cast<char>(value >> (8 * i)));
}

template <typename T>
T number_at(std::string_view bytes, std::size_t offset) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value |= static_cast<T>(static_cast<std::uint8_t>(bytes[offset + i])) << (8 * i);
  }
  return value;
}

}  // namespace

// --- writing ---

struct TraceFileWriter::Compressor {
  Compressor() : context(ZSTD_createCCtx()) { POLARSIM_ASSERT(context != nullptr, "no memory for zstd"); }
  ~Compressor() { ZSTD_freeCCtx(context); }
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;
  ZSTD_CCtx* context;
};

TraceFileWriter::TraceFileWriter(std::ostream& out, int level)
    : out_(out), level_(level), compressor_(std::make_unique<Compressor>()) {
  POLARSIM_ASSERT(level >= 1 && level <= 19, "a level that zstd does not have");
  std::string header(magic);
  put_number(header, version);
  put_number(header, std::uint32_t{0});
  put_number(header, stable_hash(header));
  put(header);
}

TraceFileWriter::~TraceFileWriter() = default;

void TraceFileWriter::put(std::string_view bytes) {
  if (!ok_) return;
  out_.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  ok_ = out_.good();
  bytes_ += bytes.size();
}

void TraceFileWriter::put_frame(std::uint32_t tag, std::uint32_t events, std::uint32_t plain_bytes,
                                std::string_view packed) {
  std::string frame;
  put_number(frame, tag);
  put_number(frame, events);
  put_number(frame, plain_bytes);
  put_number(frame, static_cast<std::uint32_t>(packed.size()));
  put_number(frame, stable_hash(packed, frames_));
  put_number(frame, stable_hash(frame, frames_));
  ++frames_;
  put(frame);
  put(packed);
}

void TraceFileWriter::write(const std::deque<std::string>& names, const TraceBlock& block, std::size_t begin) {
  const std::size_t count = block.records.size() - begin;
  if (count == 0 || !ok_) return;
  encode_block(names, names_written_, block, begin, plain_);
  names_written_ = names.size();
  packed_.resize(ZSTD_compressBound(plain_.size()));
  const std::size_t packed =
      ZSTD_compressCCtx(compressor_->context, packed_.data(), packed_.size(), plain_.data(), plain_.size(), level_);
  if (plain_.size() > plain_bytes_max || ZSTD_isError(packed) != 0) {
    ok_ = false;
    return;
  }
  put_frame(block_tag, static_cast<std::uint32_t>(count), static_cast<std::uint32_t>(plain_.size()),
            std::string_view(packed_).substr(0, packed));
  events_ += count;
}

bool TraceFileWriter::finish(std::uint64_t dropped) {
  std::string end;
  put_number(end, events_);
  put_number(end, dropped);
  put_frame(end_tag, 0, end_bytes, end);
  if (ok_) ok_ = out_.flush().good();
  return ok_;
}

bool write_trace(std::ostream& out, const Trace& trace) {
  TraceFileWriter writer(out);
  trace.copy_to(writer);
  return writer.finish(trace.dropped());
}

// --- reading ---

std::string TraceFileError::message() const { return fmt::format("{}: at byte {}: {}", file, offset, problem); }

TraceFileReader::TraceFileReader(std::istream& in, std::string file) : in_(in), file_(std::move(file)) {}

tl::unexpected<TraceFileError> TraceFileReader::error(std::uint64_t offset, std::string problem) const {
  return tl::unexpected(TraceFileError{file_, offset, std::move(problem)});
}

bool TraceFileReader::read(std::size_t count, std::string& bytes) {
  // In pieces: a size that a damaged file claims is not allocated before that many bytes are there.
  constexpr std::size_t piece_bytes = 1024 * 1024;
  bytes.clear();
  while (bytes.size() < count) {
    const std::size_t had = bytes.size();
    bytes.resize(had + std::min(piece_bytes, count - had));
    in_.read(bytes.data() + had, static_cast<std::streamsize>(bytes.size() - had));
    const auto got = static_cast<std::size_t>(in_.gcount());
    position_ += got;
    if (had + got < bytes.size()) {
      bytes.resize(had + got);
      return false;
    }
  }
  return true;
}

std::optional<TraceFileError> TraceFileReader::read_header() {
  const auto wrong = [this](std::uint64_t offset, std::string problem) {
    return TraceFileError{file_, offset, std::move(problem)};
  };
  const bool whole = read(header_bytes, frame_);
  const std::size_t known = std::min(frame_.size(), magic.size());
  if (frame_.empty() || frame_.compare(0, known, magic, 0, known) != 0) return wrong(0, "not a trace of polarsim");
  if (!whole) return wrong(position_, "the file ends within its header");
  const auto file_version = number_at<std::uint32_t>(frame_, magic.size());
  if (number_at<std::uint64_t>(frame_, hashed_bytes) != stable_hash(std::string_view(frame_).substr(0, hashed_bytes))) {
    return wrong(magic.size(), "the header is damaged");
  }
  if (file_version != version) {
    return wrong(magic.size(), fmt::format("version {}, of which this build knows only {}", file_version, version));
  }
  return std::nullopt;
}

tl::expected<bool, TraceFileError> TraceFileReader::next(std::vector<TraceEvent>& events) {
  if (failed_) return tl::unexpected(*failed_);
  if (ended_) return false;
  if (position_ == 0) failed_ = read_header();
  if (failed_) return tl::unexpected(*failed_);
  tl::expected<bool, TraceFileError> more = read_next(events);
  if (!more) failed_ = more.error();
  return more;
}

tl::expected<bool, TraceFileError> TraceFileReader::read_next(std::vector<TraceEvent>& events) {
  const std::uint64_t start = position_;
  if (!read(frame_bytes, frame_)) {
    return error(position_, position_ == start ? "the file ends without its end mark" : "the file ends within a block");
  }
  const std::string_view head = std::string_view(frame_).substr(0, hashed_bytes);
  if (number_at<std::uint64_t>(frame_, hashed_bytes) != stable_hash(head, frames_)) {
    return error(start, "a block's head is damaged or out of place");
  }
  const auto tag = number_at<std::uint32_t>(frame_, 0);
  const auto count = number_at<std::uint32_t>(frame_, 4);
  const auto plain_size = number_at<std::uint32_t>(frame_, 8);
  const auto packed_size = number_at<std::uint32_t>(frame_, 12);
  if (tag != block_tag && tag != end_tag) return error(start, "a block of an unknown kind");
  if (plain_size > plain_bytes_max || packed_size > ZSTD_COMPRESSBOUND(plain_bytes_max)) {
    return error(start, "a block that is larger than any can be");
  }
  if (!read(packed_size, packed_)) return error(position_, "the file ends within a block");
  const std::uint64_t contents = start + frame_bytes;
  if (stable_hash(packed_, frames_) != number_at<std::uint64_t>(frame_, 16)) {
    return error(contents, "the block's bytes are damaged");
  }
  ++frames_;
  if (tag == end_tag) {
    if (packed_size != end_bytes || number_at<std::uint64_t>(packed_, 0) != events_) {
      return error(contents, "the end mark does not fit the file");
    }
    dropped_ = number_at<std::uint64_t>(packed_, 8);
    if (in_.peek() != std::istream::traits_type::eof()) return error(position_, "bytes after the end mark");
    ended_ = true;
    return false;
  }
  // The sizes passed the hash; one that is wrong nevertheless was written so.
  if (ZSTD_getFrameContentSize(packed_.data(), packed_.size()) != plain_size) {
    return error(contents, "the block is not of the size it claims");
  }
  plain_.resize(plain_size);
  const std::size_t unpacked = ZSTD_decompress(plain_.data(), plain_.size(), packed_.data(), packed_.size());
  if (ZSTD_isError(unpacked) != 0 || unpacked != plain_size) return error(contents, "the block cannot be unpacked");
  if (const char* problem = decode_block(plain_, count, next_id_, names_, events)) {
    return error(contents, std::string("the block holds ") + problem);
  }
  if (count > 0) next_id_ = events.back().id + 1;
  events_ += count;
  return true;
}

SalvagedTrace salvage_trace(std::istream& in, const std::string& file) {
  TraceFileReader reader(in, file);
  SalvagedTrace salvaged;
  for (;;) {
    const tl::expected<bool, TraceFileError> more = reader.next(salvaged.trace.events);
    if (!more) salvaged.damage = more.error();
    if (!more || !*more) break;
  }
  salvaged.trace.dropped = reader.dropped();
  return salvaged;
}

tl::expected<TraceFile, TraceFileError> read_trace(std::istream& in, const std::string& file) {
  SalvagedTrace salvaged = salvage_trace(in, file);
  if (salvaged.damage) return tl::unexpected(std::move(*salvaged.damage));
  return std::move(salvaged.trace);
}

}  // namespace polarsim::sim
