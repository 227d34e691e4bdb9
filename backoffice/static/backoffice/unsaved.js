// Warns before a page is left on which something was typed and not saved: by a link, by Back, by closing the tab.
"use strict";
{
  for (const form of document.querySelectorAll("form[data-unsaved]")) {
    const said = () =>
      [...new FormData(form)].map(([name, value]) => [name, typeof value === "string" ? value : value.name]).join("\n");
    const before = said();
    // What came back with errors was typed before, and is not saved either.
    const cameBack = form.dataset.unsaved === "yes";
    const warn = (event) => event.preventDefault();
    const look = () => {
      // Listened for only while there is something to lose: pages that listen are not kept for Back.
      if (cameBack || said() !== before) addEventListener("beforeunload", warn);
      else removeEventListener("beforeunload", warn);
    };
    form.addEventListener("input", look);
    form.addEventListener("change", look);
    form.addEventListener("submit", (event) => {
      if (!event.defaultPrevented) removeEventListener("beforeunload", warn);
    });
    look();
  }
}
