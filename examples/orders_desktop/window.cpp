// The widgets and what they say.
#include "window.hpp"

#include <QBoxLayout>
#include <QFormLayout>
#include <QHeaderView>
#include <QMetaObject>
#include <QStatusBar>
#include <array>

#include "orders/money.hpp"

namespace desktop {
namespace {

using namespace freshet;

constexpr int delay_milliseconds_max = 10'000;

// In the order of Look.
constexpr std::array look_texts = {
    "whatever the read tables hold (eventual)",
    "at least the version just written",
    "everything committed by now (strong)",
    "the log itself (read your writes)",
};

QString text(const std::string& from) {
  return QString::fromStdString(from);
}

QString price(const orders::Order& order) {
  return text(orders::format_money(order.amount_minor, order.currency) + ' ' + order.currency);
}

QString milliseconds(Duration duration) {
  return QString::number(static_cast<double>(duration.count()) / 1000.0, 'f', 1) + " ms";
}

constexpr const char* fresh_style = "background: #cdeccb; color: #0c4a0a; padding: 4px";
constexpr const char* stale_style = "background: #f9d9a8; color: #5a3700; padding: 4px";
constexpr const char* waiting_style = "background: #dde6f0; color: #1d3a5c; padding: 4px";
constexpr const char* trouble_style = "background: #f4c7c3; color: #7a0c05; padding: 4px";
const QColor stale_row(0xf9, 0xd9, 0xa8);

void say(QLabel& label, const QString& sentence, const char* style) {
  label.setText(sentence);
  label.setStyleSheet(style);
}

const char* style_of(const Freshness& freshness) {
  return freshness.stale ? stale_style : fresh_style;
}

QString list_sentence(const ListAnswer& list) {
  const Freshness& freshness = list.freshness;
  if (!freshness.stale && list.value.orders.empty()) return "fresh: there are no orders yet; place one";
  if (!freshness.stale) return QString("fresh: everything up to position %1").arg(freshness.head.value);
  return QString("STALE: %1 of %2 events are still on their way, the oldest for %3")
      .arg(freshness.behind_events)
      .arg(freshness.head.value)
      .arg(milliseconds(freshness.behind));
}

QString order_sentence(const Freshness& freshness) {
  const QString source = freshness.source == Source::event_log ? "from the event log" : "from the read tables";
  const QString waited = freshness.waited > Duration{0} ? ", waited " + milliseconds(freshness.waited) : QString();
  if (!freshness.stale) return "fresh, " + source + waited;
  return QString("STALE: version %1 of %2, ").arg(freshness.version.value).arg(freshness.latest_version.value) +
         source + waited;
}

QString delay_of(int milliseconds) {
  return milliseconds < 1000 ? QString::number(milliseconds) + " ms" : QString::number(milliseconds / 1000.0) + " s";
}

template <typename Widget>
Widget* named(const char* name) {
  auto* widget = new Widget;
  widget->setObjectName(name);
  return widget;
}

}  // namespace

Window::Window(const std::filesystem::path& file)
    : list_(named<QTableWidget>("list")),
      list_freshness_(named<QLabel>("list_freshness")),
      order_(named<QLabel>("order")),
      order_freshness_(named<QLabel>("order_freshness")),
      customer_(named<QLineEdit>("customer")),
      synchronous_(named<QCheckBox>("synchronous")),
      look_(named<QComboBox>("look")),
      delay_(named<QSlider>("delay")),
      delay_text_(named<QLabel>("delay_text")),
      desk_(file,
            [this](std::function<void()> answer) {
              QMetaObject::invokeMethod(this, std::move(answer), Qt::QueuedConnection);
            },
            {.on_list = [this](const List& list) { show_list(list); },
             .on_command = [this](const std::string& said) { statusBar()->showMessage(text(said)); },
             .on_looking = [this](const std::string& order_id) { show_looking(order_id); },
             .on_order = [this](const OrderAnswer& order) { show_order(order); },
             .on_problem = [this](const std::string& why) { show_problem(why); }}) {
  setWindowTitle("Orders: " + text(file.filename().string()));
  list_->setColumnCount(5);
  list_->setHorizontalHeaderLabels({"Order", "Customer", "Status", "Amount", "Version"});
  list_->horizontalHeader()->setSectionResizeMode(QHeaderView::Stretch);
  list_->setSelectionBehavior(QAbstractItemView::SelectRows);
  list_->setSelectionMode(QAbstractItemView::SingleSelection);
  list_->setEditTriggers(QAbstractItemView::NoEditTriggers);
  list_->verticalHeader()->hide();
  list_freshness_->setWordWrap(true);
  say(*list_freshness_, "opening " + text(file.string()), waiting_style);
  order_->setText("No order was looked at yet.");

  auto* content = new QWidget;
  auto* column = new QVBoxLayout(content);
  column->addWidget(list_, 1);
  column->addWidget(list_freshness_);
  column->addWidget(command_bar());
  column->addWidget(choice_bar());
  column->addWidget(order_);
  column->addWidget(order_freshness_);
  setCentralWidget(content);
  resize(760, 560);
}

QWidget* Window::command_bar() {
  auto* bar = new QWidget;
  auto* row = new QHBoxLayout(bar);
  row->setContentsMargins(0, 0, 0, 0);
  customer_->setText("ada");
  row->addWidget(new QLabel("Customer"));
  row->addWidget(customer_);
  auto* place_button = named<QPushButton>("place");
  place_button->setText("Place");
  QObject::connect(place_button, &QPushButton::clicked, this, [this] { place(); });
  row->addWidget(place_button);
  add_button(*row, "Pay", [] { return orders::Pay{}; });
  add_button(*row, "Ship", [] { return orders::Ship{}; });
  add_button(*row, "Deliver", [] { return orders::Deliver{}; });
  add_button(*row, "Cancel", [] { return orders::Cancel{}; });
  add_button(*row, "Refund", [] { return orders::Refund{}; });
  return bar;
}

void Window::add_button(QLayout& bar, const QString& text, std::function<orders::Action()> action) {
  auto* button = new QPushButton(text);
  button->setObjectName(text.toLower());
  QObject::connect(button, &QPushButton::clicked, this, [this, action = std::move(action)] {
    const auto order_id = selected();
    if (order_id) {
      execute(order_id, action());
    } else {
      statusBar()->showMessage("choose an order in the list first");
    }
  });
  bar.addWidget(button);
}

QWidget* Window::choice_bar() {
  auto* bar = new QWidget;
  auto* form = new QFormLayout(bar);
  form->setContentsMargins(0, 0, 0, 0);
  delay_->setOrientation(Qt::Horizontal);
  delay_->setRange(0, delay_milliseconds_max);
  QObject::connect(delay_, &QSlider::valueChanged, this, [this](int value) { choose_delay(value); });
  delay_text_->setText(delay_of(0));
  delay_text_->setMinimumWidth(delay_text_->fontMetrics().horizontalAdvance(delay_of(delay_milliseconds_max - 1)));
  auto* delay = new QWidget;
  auto* row = new QHBoxLayout(delay);
  row->setContentsMargins(0, 0, 0, 0);
  row->addWidget(delay_, 1);
  row->addWidget(delay_text_);
  form->addRow("Events travel for", delay);
  for (const char* choice : look_texts) look_->addItem(choice);
  form->addRow("After a command, look at", look_);
  synchronous_->setText("in the same transaction (no staleness window)");
  form->addRow("Update the read tables", synchronous_);
  return bar;
}

void Window::choose_delay(int milliseconds) {
  delay_text_->setText(delay_of(milliseconds));
  desk_.set_delay(std::chrono::milliseconds{milliseconds});
}

void Window::place() {
  if (customer_->text().trimmed().isEmpty()) {
    statusBar()->showMessage("an order has a customer");
    return;
  }
  execute(std::nullopt, an_order(customer_->text().trimmed().toStdString()));
}

void Window::execute(std::optional<std::string> order_id, orders::Action action) {
  desk_.execute(std::move(order_id), std::move(action),
                synchronous_->isChecked() ? Projecting::synchronous : Projecting::asynchronous,
                static_cast<Look>(look_->currentIndex()));
}

std::optional<std::string> Window::selected() const {
  const auto* item = list_->item(list_->currentRow(), 0);
  if (item == nullptr) return std::nullopt;
  return item->text().toStdString();
}

void Window::show_list(const List& list) {
  const auto chosen = selected();
  const auto& rows = list.answer.value.orders;
  list_->setRowCount(static_cast<int>(rows.size()));
  for (int row = 0; row < list_->rowCount(); ++row) {
    const orders::OrderView& view = rows[static_cast<std::size_t>(row)];
    const auto newest = list.behind.find(view.order_id);
    const bool stale = newest != list.behind.end();
    const QString version = QString::number(view.version.value);
    const std::array<QString, 5> cells = {text(view.order_id), text(view.order.customer), name(view.order.status),
                                          price(view.order),
                                          stale ? QString("%1 of %2").arg(version).arg(newest->second.value) : version};
    for (int column = 0; column < list_->columnCount(); ++column) {
      auto* item = new QTableWidgetItem(cells[static_cast<std::size_t>(column)]);
      if (stale) item->setBackground(stale_row);
      if (stale) item->setToolTip("the log has a newer version of this order");
      list_->setItem(row, column, item);
    }
    if (view.order_id == chosen) list_->selectRow(row);
  }
  say(*list_freshness_, list_sentence(list.answer), style_of(list.answer.freshness));
}

void Window::show_looking(const std::string& order_id) {
  order_->setText("Order " + text(order_id));
  say(*order_freshness_, "waiting for it to be as fresh as was asked for", waiting_style);
}

void Window::show_problem(const std::string& why) {
  say(*list_freshness_, "trouble: " + text(why), trouble_style);
}

void Window::show_order(const OrderAnswer& order) {
  if (order.value) {
    const orders::OrderView& view = *order.value;
    order_->setText(QString("Order %1 is %2, version %3, %4")
                        .arg(text(view.order_id), QString(name(view.order.status)))
                        .arg(view.version.value)
                        .arg(price(view.order)));
  } else {
    order_->setText("The read tables do not show this order yet.");
  }
  say(*order_freshness_, order_sentence(order.freshness), style_of(order.freshness));
}

}  // namespace desktop
