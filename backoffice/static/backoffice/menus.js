// What <details class="menu"> lacks to be a menu: one open at a time, Escape and a click elsewhere close it.
"use strict";
{
  const open = () => document.querySelectorAll("details.menu[open]");

  function closeAllBut(kept) {
    for (const menu of open()) {
      if (menu !== kept && !menu.contains(kept)) menu.open = false;
    }
  }

  document.addEventListener("click", (event) => closeAllBut(event.target.closest("details.menu")));
  document.addEventListener("focusin", (event) => closeAllBut(event.target.closest("details.menu")));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of open()) {
      const hadFocus = menu.contains(document.activeElement);
      menu.open = false;
      if (hadFocus) menu.querySelector("summary").focus();
    }
  });
}
