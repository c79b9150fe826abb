#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <utility>

#include "checkers/explain.h"
#include "checkers/explanation_pictures.h"
#include "checkers/picture_text.h"

namespace polarsim::checkers {

namespace {

using Edge = Explanation::Edge;

// Lengths are whole user units (pixels at natural size), so that no rounding differs between machines.
constexpr int margin = 12;
constexpr int time_width = 84;
constexpr int column_width = 300;
constexpr int column_gap = 210;  // room for arrows and what is written on them
constexpr int line_height = 15;
constexpr int box_padding = 8;
constexpr int least_row = 22;
constexpr int arrowhead = 8;
constexpr int title_height = 26;
constexpr int heading_height = 24;
constexpr std::size_t characters_of_column = 42;
constexpr std::size_t characters_of_label = 36;
constexpr std::size_t characters_of_heading = 36;

constexpr std::array<std::pair<const char*, const char*>, 7> colours = {{{"ww", "#b3261e"},
                                                                         {"wr", "#1d5fa8"},
                                                                         {"rw", "#a35200"},
                                                                         {"process", "#5f6368"},
                                                                         {"realtime", "#5f6368"},
                                                                         {"observed", "#6a3fa0"},
                                                                         {"initial", "#5f6368"}}};

const char* colour_of(const Edge& edge) {
  for (const auto& [relation, colour] : colours) {
    if (!edge.relations.empty() && edge.relations.front() == relation) return colour;
  }
  return "#5f6368";
}

const char* fill_of(const Explanation::Participant& one) {
  if (one.outcome == EventType::ok) return "#dcebfa";
  return one.outcome == EventType::fail ? "#fbe3cd" : "#eae2f6";
}

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : printable_utf8(text)) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

// name='value' pairs of an element; values are escaped.
class Attributes {
 public:
  Attributes& add(std::string_view name, std::string_view value) {
    text_ += ' ';
    text_ += name;
    text_ += "='";
    text_ += escaped(value);
    text_ += '\'';
    return *this;
  }
  Attributes& add(std::string_view name, int value) { return add(name, std::to_string(value)); }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// Styles stand at each element, because those of a page around it would win otherwise.
std::string text_element(int x, int y, std::string_view words, const char* anchor, const char* style) {
  Attributes attributes;
  attributes.add("x", x).add("y", y).add("text-anchor", anchor).add("style", style);
  return "<text" + attributes.text() + ">" + escaped(words) + "</text>\n";
}

constexpr const char* plain_style = "font:12px ui-monospace,monospace;fill:#202124;stroke:none";
constexpr const char* small_style = "font:11px ui-monospace,monospace;fill:#5f6368;stroke:none";
constexpr const char* title_style = "font:bold 14px system-ui,sans-serif;fill:#202124;stroke:none";

struct Box {
  int left = 0, top = 0, bottom = 0;
  int right() const { return left + column_width; }
  int middle() const { return left + column_width / 2; }
};

// Where everything of one anomaly is.
class Layout {
 public:
  explicit Layout(const Explanation& explanation) : explanation_(explanation) {
    for (std::size_t place = 0; place < explanation.operations.size(); ++place) {
      const Explanation::Participant& one = explanation.operations[place];
      std::vector<std::string> lines = wrapped_transaction(one.transaction, characters_of_column);
      const bool connected = std::any_of(explanation.edges.begin(), explanation.edges.end(),
                                         [&](const Edge& edge) { return edge.from == place || edge.to == place; });
      const bool witness = !connected && !explanation.edges.empty();
      lines.insert(lines.begin(), heading_of(one) + (witness ? ", a witness" : ""));
      lines_.push_back(std::move(lines));
    }
    has_initial_ = std::any_of(explanation.edges.begin(), explanation.edges.end(), [](const Edge& edge) {
      return edge.from == Edge::initial_state || edge.to == Edge::initial_state;
    });
    place_in_columns();
    place_in_rows();
  }

  int width() const { return column_left(headings_.size()); }
  int height() const { return row_tops_.back() + margin; }
  const std::vector<std::string>& lines(std::size_t place) const { return lines_[place]; }
  bool has_initial() const { return has_initial_; }

  Box box(std::size_t place) const {
    if (place == Edge::initial_state) {
      return {column_left(0), row_tops_.front() - least_row - 6, row_tops_.front() - 6};
    }
    return {column_left(columns_[place]), row_tops_[first_row_[place]], row_tops_[last_row_[place]]};
  }
  int column_left(std::size_t column) const {
    return margin + time_width + static_cast<int>(column) * (column_width + column_gap);
  }
  const std::vector<std::string>& headings() const { return headings_; }
  // What each row is: a moment, and where it lies.
  std::vector<std::pair<std::string, int>> moments() const {
    std::vector<std::pair<std::string, int>> list;
    for (std::size_t row = 0; row < times_.size(); ++row) {
      list.emplace_back(duration_text(times_[row] - times_.front()), row_tops_[row]);
    }
    return list;
  }

 private:
  static std::string heading_of(const Explanation::Participant& one) {
    std::string text = "op " + std::to_string(one.index);
    text += one.outcome == EventType::info ? ", outcome unknown" : std::string(", ") + to_string(one.outcome);
    return text + ", process " + std::to_string(one.process);
  }

  // Columns of one node stand together; an operation takes the first one that is free when it is asked for.
  void place_in_columns() {
    const auto& operations = explanation_.operations;
    std::map<std::pair<std::string, std::int64_t>, std::vector<std::size_t>> by_lane;
    for (std::size_t i = 0; i < operations.size(); ++i) {
      const Explanation::Participant& one = operations[i];
      by_lane[{one.node, one.node.empty() ? one.process : 0}].push_back(i);
    }
    columns_.resize(operations.size());
    if (has_initial_) headings_.emplace_back();
    for (auto& [lane, members] : by_lane) {
      const std::string heading = lane.first.empty() ? "process " + std::to_string(lane.second) : lane.first;
      std::sort(members.begin(), members.end(), [&](std::size_t a, std::size_t b) {
        const auto rank = [&](std::size_t i) { return std::pair(operations[i].invoked_ns, operations[i].index); };
        return rank(a) < rank(b);
      });
      const std::size_t first = headings_.size();
      std::vector<const Explanation::Participant*> last;  // by column of this lane
      for (const std::size_t i : members) {
        const auto free = std::find_if(last.begin(), last.end(), [&](const Explanation::Participant* before) {
          return before->completed && before->completed_ns < operations[i].invoked_ns;
        });
        const auto column = static_cast<std::size_t>(free - last.begin());
        if (free == last.end()) {
          last.push_back(nullptr);
          headings_.push_back(heading);
        }
        last[column] = &operations[i];
        columns_[i] = first + column;
      }
    }
  }

  // A row for each moment, and one after all for what was never answered. Rows are as high as the boxes need.
  void place_in_rows() {
    const auto& operations = explanation_.operations;
    for (const Explanation::Participant& one : operations) {
      times_.push_back(one.invoked_ns);
      if (one.completed) times_.push_back(one.completed_ns);
    }
    std::sort(times_.begin(), times_.end());
    times_.erase(std::unique(times_.begin(), times_.end()), times_.end());
    const auto row_of = [&](std::int64_t time_ns) {
      return static_cast<std::size_t>(std::lower_bound(times_.begin(), times_.end(), time_ns) - times_.begin());
    };
    std::vector<int> heights(times_.size(), least_row);
    std::vector<std::size_t> by_end;
    for (std::size_t i = 0; i < operations.size(); ++i) {
      first_row_.push_back(row_of(operations[i].invoked_ns));
      // What was asked and answered at one moment still needs a row.
      const std::size_t end = operations[i].completed ? row_of(operations[i].completed_ns) : times_.size();
      last_row_.push_back(std::max(end, first_row_.back() + 1));
      by_end.push_back(i);
    }
    std::sort(by_end.begin(), by_end.end(),
              [&](std::size_t a, std::size_t b) { return std::pair(last_row_[a], a) < std::pair(last_row_[b], b); });
    for (const std::size_t i : by_end) {
      int has = 0;
      for (std::size_t row = first_row_[i]; row < last_row_[i]; ++row) has += heights[row];
      const int needs = static_cast<int>(lines_[i].size()) * line_height + 2 * box_padding;
      if (has < needs) heights[last_row_[i] - 1] += needs - has;
    }
    int y = title_height + heading_height + (has_initial_ ? least_row + 12 : 0);
    for (const int height : heights) {
      row_tops_.push_back(y);
      y += height;
    }
    row_tops_.push_back(y);
  }

  const Explanation& explanation_;
  bool has_initial_ = false;
  std::vector<std::vector<std::string>> lines_;
  std::vector<std::string> headings_;              // by column
  std::vector<std::size_t> columns_;               // by operation
  std::vector<std::int64_t> times_;                // by row
  std::vector<std::size_t> first_row_, last_row_;  // by operation
  std::vector<int> row_tops_;                      // one more than there are moments
};

// Which side of its box an end of an arrow is at.
enum class Side { left, right };

struct Arrow {
  const Edge* edge = nullptr;
  Box from, to;
  Side from_side = Side::right, to_side = Side::left;
  int from_y = 0, to_y = 0;
};

// Arrows leave and enter at the sides that face each other, spread over the height of the box in their order.
std::vector<Arrow> arrows_of(const Explanation& explanation, const Layout& layout) {
  std::vector<Arrow> arrows;
  std::map<std::pair<std::size_t, Side>, int> ends, met;
  for (const Edge& edge : explanation.edges) {
    Arrow arrow{&edge, layout.box(edge.from), layout.box(edge.to)};
    if (arrow.from.left > arrow.to.left) std::swap(arrow.from_side, arrow.to_side);
    if (arrow.from.left == arrow.to.left) arrow.to_side = Side::right;
    ++ends[{edge.from, arrow.from_side}];
    ++ends[{edge.to, arrow.to_side}];
    arrows.push_back(arrow);
  }
  for (Arrow& arrow : arrows) {
    const auto next = [&](std::size_t place, Side side, const Box& box) {
      const std::pair key(place, side);
      return box.top + (box.bottom - box.top) * ++met[key] / (ends[key] + 1);
    };
    arrow.from_y = next(arrow.edge->from, arrow.from_side, arrow.from);
    arrow.to_y = next(arrow.edge->to, arrow.to_side, arrow.to);
  }
  return arrows;
}

std::string number(int value) { return std::to_string(value); }

// A cubic curve; it leaves one box and enters the other at right angles.
struct Curve {
  int x[4], y[4];
  // A point at so many tenths of the way.
  static int at(const int (&p)[4], int tenths) {
    const int rest = 10 - tenths;
    return (p[0] * rest * rest * rest + 3 * p[1] * rest * rest * tenths + 3 * p[2] * rest * tenths * tenths +
            p[3] * tenths * tenths * tenths) /
           1000;
  }
};

Curve curve_of(const Arrow& arrow) {
  const auto x_of = [](const Box& box, Side side) { return side == Side::right ? box.right() : box.left; };
  const auto outward = [](Side side) { return side == Side::right ? 1 : -1; };
  const int begin = x_of(arrow.from, arrow.from_side);
  const int end = x_of(arrow.to, arrow.to_side) + arrowhead * outward(arrow.to_side);
  return {
      {begin, begin + column_gap / 2 * outward(arrow.from_side), end + column_gap / 2 * outward(arrow.to_side), end},
      {arrow.from_y, arrow.from_y, arrow.to_y, arrow.to_y}};
}

std::string draw_arrow(const Arrow& arrow) {
  const Curve curve = curve_of(arrow);
  const std::string colour = colour_of(*arrow.edge);
  std::string path;
  for (int i = 0; i < 4; ++i) {
    path += i == 0 ? "M" : i == 1 ? " C" : " ";
    path += number(curve.x[i]) + " ";
    path += number(curve.y[i]);
  }
  Attributes line;
  line.add("d", path).add("fill", "none").add("stroke", colour).add("stroke-width", "1.6");
  if (!arrow.edge->in_cycle) line.add("stroke-dasharray", "4 3");
  const int tip = curve.x[3] + (arrow.to_side == Side::right ? -arrowhead : arrowhead);
  std::string head;
  for (const auto& [x, y] : {std::pair(tip, 0), std::pair(curve.x[3], -4), std::pair(curve.x[3], 4)}) {
    head += (head.empty() ? "" : " ") + number(x);
    head += "," + number(arrow.to_y + y);
  }
  Attributes triangle;
  triangle.add("points", head).add("fill", colour);
  std::string svg = "<path" + line.text() + "/>\n";
  return svg + "<polygon" + triangle.text() + "/>\n";
}

// Writes what is said of arrows: nearer to where each begins, so that the words on two opposite arrows do not meet, and
// below words that are there already.
class Labels {
 public:
  std::string draw(const Arrow& arrow) {
    const Curve curve = curve_of(arrow);
    const std::string words = cut_to(printable_utf8(edge_label(*arrow.edge)), characters_of_label);
    const int width = static_cast<int>(words.size()) * 7;
    const int x = Curve::at(curve.x, 4);
    Label label{x - width / 2, x + width / 2, Curve::at(curve.y, 3) - 3};
    constexpr int tries = 8;
    for (int i = 0; i < tries && std::any_of(written_.begin(), written_.end(),
                                             [&](const Label& other) { return label.meets(other); });
         ++i) {
      label.y += line_height - 2;
    }
    written_.push_back(label);
    std::string style = "font:11px ui-monospace,monospace;stroke:#fff;stroke-width:4px;paint-order:stroke;fill:";
    style += colour_of(*arrow.edge);
    std::string svg = "<g><title>" + escaped(arrow.edge->why) + "</title>";
    svg += text_element(x, label.y, words, "middle", style.c_str());
    return svg + "</g>\n";
  }

 private:
  struct Label {
    int left, right, y;
    bool meets(const Label& other) const {
      return left < other.right && other.left < right && y < other.y + line_height - 2 && other.y < y + line_height - 2;
    }
  };
  std::vector<Label> written_;
};

std::string draw_box(const Layout& layout, std::size_t place, const Explanation& explanation) {
  const Explanation::Participant& one = explanation.operations[place];
  const Box box = layout.box(place);
  Attributes rectangle;
  rectangle.add("x", box.left).add("y", box.top).add("width", column_width).add("height", box.bottom - box.top);
  rectangle.add("rx", 4).add("fill", fill_of(one)).add("stroke", "#5f6368");
  if (!one.completed) rectangle.add("stroke-dasharray", "6 4");
  std::string title = "op " + std::to_string(one.index) + ", ";
  title += span_text(one, first_invocation_ns(explanation)) + ": ";
  title += one.transaction;
  std::string svg = "<g><title>" + escaped(title) + "</title><rect" + rectangle.text() + "/>\n";
  int y = box.top + box_padding + line_height - 4;
  for (const std::string& line : layout.lines(place)) {
    svg += text_element(box.left + box_padding, y, cut_to(printable_utf8(line), characters_of_column), "start",
                        y < box.top + box_padding + line_height ? small_style : plain_style);
    y += line_height;
  }
  return svg + "</g>\n";
}

struct Drawing {
  std::string svg;
  int width = 0, height = 0;
};

Drawing message(const std::string& title, const std::string& words) {
  std::string svg = text_element(margin, title_height - 8, title, "start", title_style);
  svg += text_element(margin, title_height + 14, words, "start", plain_style);
  return {std::move(svg), 860, title_height + 14 + margin};
}

Drawing draw(const Anomaly& anomaly) {
  const Explanation& explanation = anomaly.details;
  const std::string title = cut_to(printable_utf8(anomaly.name), 60);
  const std::size_t count = explanation.operations.size() + explanation.omitted;
  if (count > operations_drawn_at_most) {
    return message(title, std::to_string(count) + " operations take part; more than " +
                              std::to_string(operations_drawn_at_most) + " are not drawn. The text names them.");
  }
  const Layout layout(explanation);
  std::string svg = text_element(margin, title_height - 8, title, "start", title_style);
  for (const auto& [words, y] : layout.moments()) {
    svg += text_element(margin + time_width - 12, y + 4, words, "end", small_style);
    Attributes rule;
    rule.add("x1", margin + time_width - 8).add("x2", layout.width() - margin).add("y1", y).add("y2", y);
    svg += "<line" + rule.add("stroke", "#e4e6e9").text() + "/>\n";
  }
  for (std::size_t column = 0; column < layout.headings().size(); ++column) {
    const std::string words = cut_to(printable_utf8(layout.headings()[column]), characters_of_heading);
    svg += text_element(layout.column_left(column) + column_width / 2, title_height + 10, words, "middle", title_style);
  }
  if (layout.has_initial()) {
    const Box box = layout.box(Edge::initial_state);
    Attributes rectangle;
    rectangle.add("x", box.left).add("y", box.top).add("width", column_width).add("height", box.bottom - box.top);
    svg += "<rect" + rectangle.add("rx", 11).add("fill", "#f1f3f4").add("stroke", "#5f6368").text() + "/>\n";
    svg += text_element(box.middle(), box.bottom - 6, "initial state", "middle", plain_style);
  }
  // Boxes hide the arrows that pass behind them, and words are above all.
  const std::vector<Arrow> arrows = arrows_of(explanation, layout);
  for (const Arrow& arrow : arrows) svg += draw_arrow(arrow);
  for (std::size_t place = 0; place < explanation.operations.size(); ++place) {
    svg += draw_box(layout, place, explanation);
  }
  Labels labels;
  for (const Arrow& arrow : arrows) svg += labels.draw(arrow);
  return {std::move(svg), std::max(layout.width(), 400), layout.height()};
}

// The opening tag and a ground, so that the colours can be seen on any page.
std::string opened(int width, int height, const char* name_space) {
  std::string box = "0 0 " + number(width);
  box += " " + number(height);
  Attributes attributes;
  if (name_space[0] != '\0') attributes.add("xmlns", name_space).add("width", width).add("height", height);
  attributes.add("viewBox", box).add("style", "max-width:" + number(width) + "px");
  Attributes ground;
  ground.add("width", width).add("height", height).add("fill", "#fff");
  return "<svg" + attributes.text() + ">\n<rect" + ground.text() + "/>\n";
}

}  // namespace

std::string to_svg(std::span<const Anomaly> anomalies) {
  std::vector<Drawing> drawings;
  for (const Anomaly& anomaly : anomalies) {
    if (!anomaly.details.operations.empty()) drawings.push_back(draw(anomaly));
  }
  if (drawings.empty()) drawings.push_back(message("nothing to draw", "No anomaly with operations was found."));
  int width = 0;
  int height = 0;
  std::string body;
  for (const Drawing& drawing : drawings) {
    body += "<g transform='translate(0," + number(height) + ")'>\n";
    body += drawing.svg + "</g>\n";
    width = std::max(width, drawing.width);
    height += drawing.height + margin;
  }
  return "<?xml version='1.0' encoding='UTF-8'?>\n" + opened(width, height, "http://www.w3.org/2000/svg") + body +
         "</svg>\n";
}

std::string to_inline_svg(const Anomaly& anomaly) {
  if (anomaly.details.operations.empty()) return {};
  const Drawing drawing = draw(anomaly);
  return opened(drawing.width, drawing.height, "") + drawing.svg + "</svg>\n";
}

}  // namespace polarsim::checkers
