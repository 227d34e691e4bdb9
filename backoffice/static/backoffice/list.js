// Ticking rows of a list: ranges with Shift, the count, and "all, on every page too".
"use strict";
{
  const form = document.getElementById("changelist-form");
  const boxes = form ? [...form.querySelectorAll("input.action-select")] : [];
  const toggle = document.getElementById("action-toggle");
  const bar = form?.querySelector(".actions");

  // Only a table that fits may let its head stick to the window: one that scrolls sideways has a head of its own.
  for (const box of document.querySelectorAll(".results")) {
    const fit = () => {
      box.classList.remove("fits");
      box.classList.toggle("fits", box.scrollWidth <= box.clientWidth);
    };
    new ResizeObserver(fit).observe(box);
  }

  // What does not fit its column is shown whole by the browser's own tip.
  document.addEventListener("mouseover", (event) => {
    const cell = event.target.closest("#result_list tbody :is(td, th)");
    if (cell && !cell.title && cell.scrollWidth > cell.clientWidth) cell.title = cell.textContent.trim();
  });

  if (boxes.length && bar) {
    const across = bar.querySelector("input.select-across");
    const counter = bar.querySelector(".action-counter");
    const question = bar.querySelector(".question");
    let last = null;

    const setAcross = (on) => {
      if (across) across.value = on ? "1" : "0";
    };

    const show = () => {
      const count = boxes.filter((box) => box.checked).length;
      const everything = across?.value === "1";
      const all = count === boxes.length;
      toggle.checked = all;
      toggle.indeterminate = count > 0 && !all;
      counter.textContent = everything ? counter.dataset.all : counter.dataset.some.replace("{}", count);
      if (question) question.hidden = !all || everything;
      for (const box of boxes) box.closest("tr").classList.toggle("selected", box.checked);
    };

    const tick = (some, on) => {
      for (const box of some) box.checked = on;
      if (!on) setAcross(false);
      show();
    };

    toggle.addEventListener("click", () => tick(boxes, toggle.checked));
    for (const box of boxes) {
      box.addEventListener("click", (event) => {
        const [from, to] = [boxes.indexOf(last ?? box), boxes.indexOf(box)].sort((a, b) => a - b);
        tick(event.shiftKey ? boxes.slice(from, to + 1) : [box], box.checked);
        last = box;
      });
    }
    question?.addEventListener("click", () => {
      setAcross(true);
      show();
      counter.focus();
    });
    bar.querySelector(".clear")?.addEventListener("click", () => {
      tick(boxes, false);
      toggle.focus();
    });
    // Back and forward bring the ticks back, but not what was made of them.
    addEventListener("pageshow", show);
  }

  // A list that was opened to pick something hands the choice to the window that asked.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-popup-opener]");
    if (!link || !window.opener) return;
    event.preventDefault();
    window.opener.dismissRelatedLookupPopup(window, link.dataset.popupOpener);
  });
}
