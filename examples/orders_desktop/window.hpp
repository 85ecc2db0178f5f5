// The window on the order store: a live list that says how fresh it is, the commands, and the choices that make
// the staleness window felt.
#pragma once

#include <QCheckBox>
#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QMainWindow>
#include <QPushButton>
#include <QSlider>
#include <QTableWidget>

#include <filesystem>

#include "desk.hpp"

namespace desktop {

class Window : public QMainWindow {
 public:
  explicit Window(const std::filesystem::path& file);

 private:
  [[nodiscard]] QWidget* command_bar();
  [[nodiscard]] QWidget* choice_bar();
  void add_button(QLayout& bar, const QString& text, std::function<freshet::orders::Action()> action);
  void place();
  void execute(std::optional<std::string> order_id, freshet::orders::Action action);
  [[nodiscard]] std::optional<std::string> selected() const;
  void choose_delay(int milliseconds);

  void show_list(const List& list);
  void show_looking(const std::string& order_id);
  void show_order(const OrderAnswer& order);
  void show_problem(const std::string& why);

  // Named, so that a test finds them.
  QTableWidget* const list_;
  QLabel* const list_freshness_;
  QLabel* const order_;
  QLabel* const order_freshness_;
  QLineEdit* const customer_;
  QCheckBox* const synchronous_;
  QComboBox* const look_;
  QSlider* const delay_;
  QLabel* const delay_text_;
  Desk desk_;
};

}  // namespace desktop
