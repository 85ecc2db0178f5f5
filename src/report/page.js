// Shows the details of a mark under the pointer or with the focus, and lights up the way of its message.
"use strict";
(() => {
  const detail = document.getElementById("detail");

  function related(element) {
    const section = element.closest("section");
    const { message, row } = element.dataset;
    return [...section.querySelectorAll("[data-arrow], [data-mark], tr[data-row]")].filter((other) =>
      other === element || (row && other.dataset.row === row) || (message && other.dataset.message === message));
  }

  function hide() {
    detail.hidden = true;
    for (const lit of document.querySelectorAll(".lit")) lit.classList.remove("lit");
  }

  function show(element) {
    hide();
    for (const other of related(element)) other.classList.add("lit");
    const text = element.getAttribute("aria-label");
    if (!text) return;
    detail.textContent = text;
    detail.hidden = false;
    const mark = (element.querySelector(".reach") || element).getBoundingClientRect();
    const box = detail.getBoundingClientRect();
    const left = Math.min(Math.max(mark.left + mark.width / 2 - box.width / 2, 8), innerWidth - box.width - 8);
    const above = mark.top - box.height - 6;
    detail.style.left = `${Math.max(left, 8)}px`;
    detail.style.top = `${above < 8 ? mark.bottom + 6 : above}px`;
  }

  function neighbour(mark, key) {
    const marks = [...mark.closest("svg").querySelectorAll("[data-mark]")];
    const place = marks.indexOf(mark);
    switch (key) {
      case "ArrowRight": case "ArrowDown": return marks[Math.min(place + 1, marks.length - 1)];
      case "ArrowLeft": case "ArrowUp": return marks[Math.max(place - 1, 0)];
      case "Home": return marks[0];
      case "End": return marks[marks.length - 1];
      default: return null;
    }
  }

  for (const mark of document.querySelectorAll("[data-mark], tr[data-row]")) {
    mark.addEventListener("pointerenter", () => show(mark));
    mark.addEventListener("pointerleave", hide);
    mark.addEventListener("focus", () => {
      mark.scrollIntoView({ block: "nearest", inline: "nearest" });
      show(mark);
    });
    mark.addEventListener("blur", hide);
    mark.addEventListener("keydown", (event) => {
      if (event.key === "Escape") return hide();
      const next = neighbour(mark, event.key);
      if (!next) return;
      event.preventDefault();
      mark.setAttribute("tabindex", "-1");
      next.setAttribute("tabindex", "0");
      next.focus();
    });
  }
})();
