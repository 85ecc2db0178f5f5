// Follows each message from the write side over the bus to the read model, as arrows between marks.
#include <map>
#include <utility>

#include "report/swimlane_layout.hpp"

namespace freshet::report {
namespace {

using scenario::Kind;

class Arrows {
 public:
  explicit Arrows(const SwimlaneLayout& layout) : layout_(layout) {}

  void follow(const Mark& mark) {
    message_ = message_of(mark.occurrence->order_id, mark.occurrence->version);
    if (message_.empty()) return;
    const Kind kind = mark.occurrence->kind;
    if (kind == Kind::appended) {
      appended_[message_] = {&mark};
    } else if (kind == Kind::succeeded) {
      answer(mark);
    } else if (kind == Kind::delivered) {
      deliver(mark);
    } else if (kind == Kind::applied || kind == Kind::skipped) {
      arrive(mark);
    }
  }

  [[nodiscard]] std::vector<Arrow> finish() { return std::move(arrows_); }

 private:
  struct Append {
    const Mark* mark = nullptr;
    bool answered = false;
  };
  // To one listener, the last of them.
  struct Delivery {
    const Mark* mark = nullptr;
    bool again = false;
  };

  void answer(const Mark& mark) {
    Append& append = appended_[message_];
    if (append.mark == nullptr || append.answered) return;
    append.answered = true;
    add(ArrowKind::answer, false, place(*append.mark), place(mark));
  }

  // The bus keeps what it was given, so only the first delivery comes from the write side.
  void deliver(const Mark& mark) {
    Delivery& delivery = delivered_[{mark.occurrence->model, message_}];
    const Mark* const before = std::exchange(delivery.mark, &mark);
    delivery.again = before != nullptr || mark.occurrence->attempt > 1;
    if (before != nullptr) {
      add(ArrowKind::redeliver, true, place(*before), place(mark));
    } else if (const Mark* const append = appended_[message_].mark) {
      add(ArrowKind::send, delivery.again, place(*append), place(mark));
    }
    add(ArrowKind::deliver, delivery.again, place(mark), arrival(mark));
  }

  // An event that no bus has delivered was applied with its append, in one transaction.
  void arrive(const Mark& mark) {
    const Delivery delivery = delivered_[{mark.occurrence->model, message_}];
    const bool again = mark.occurrence->kind == Kind::skipped || delivery.again;
    if (delivery.mark == nullptr) {
      if (const Mark* const append = appended_[message_].mark)
        add(ArrowKind::apply, again, place(*append), place(mark));
    } else if (place(mark).y != arrival(*delivery.mark).y) {
      add(ArrowKind::apply, again, arrival(*delivery.mark), place(mark));
    }
  }

  void add(ArrowKind kind, bool again, Point from, Point to) { arrows_.push_back({kind, again, message_, from, to}); }

  [[nodiscard]] Point place(const Mark& mark) const { return {mark.x, layout_.lanes[mark.lane].line}; }

  // Where a delivery reaches its listener.
  [[nodiscard]] Point arrival(const Mark& delivered) const {
    return {delivered.x, lane_of(layout_, Role::listener, delivered.occurrence->model).line};
  }

  const SwimlaneLayout& layout_;
  std::string message_;
  std::map<std::string, Append> appended_;
  std::map<std::pair<std::string, std::string>, Delivery> delivered_;  // By listener and message.
  std::vector<Arrow> arrows_;
};

}  // namespace

std::vector<Arrow> arrows_between(const SwimlaneLayout& layout) {
  Arrows arrows(layout);
  for (const Mark& mark : layout.marks) arrows.follow(mark);
  return arrows.finish();
}

}  // namespace freshet::report
