// What pages can't say in HTML: keys, where the focus goes after a swap, and the words of a change
// for who hears the page. Everything also works without this file.
"use strict";
(() => {
  const typing = (element) => element.closest("input, textarea, select, [contenteditable]");
  let awaitsKey = false;

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && typing(event.target) && !event.target.closest("dialog")) event.target.blur();
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (document.querySelector("dialog[open]")) return;
    if (awaitsKey) {
      awaitsKey = false;
      const link = [...document.querySelectorAll("nav a[data-key]")].find((each) => each.dataset.key === event.key);
      if (link) { event.preventDefault(); link.click(); }
    } else if (event.key === "g") {
      awaitsKey = true;
      setTimeout(() => { awaitsKey = false; }, 1500);
    } else if (event.key === "/") {
      event.preventDefault();
      const box = document.querySelector("input[type=search]");
      if (box) { box.focus(); box.select(); } else { document.querySelector(".brand").click(); }
    } else if (event.key === "?") {
      document.getElementById("keys")?.showModal();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      moveIn(".hits a, [data-rows] a", event);
    }
  });

  // Arrows walk through what was found, also from the box.
  document.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" && event.target.matches("input[type=search]")) moveIn(".hits a, [data-rows] a", event);
  });

  function moveIn(selector, event) {
    const all = [...document.querySelectorAll(selector)];
    const at = all.indexOf(document.activeElement);
    const next = all[at + (event.key === "ArrowDown" ? 1 : -1)];
    if (next) { event.preventDefault(); next.focus(); }
  }

  // A button with data-show opens the dialog that it names; one with data-print prints the page.
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-print]")) print();
    const button = event.target.closest("[data-show]");
    if (button) document.getElementById(button.dataset.show)?.showModal();
    const copy = event.target.closest("[data-copy]");
    if (copy) {
      const field = document.getElementById(copy.dataset.copy);
      field.select();
      navigator.clipboard?.writeText(field.value).then(() => {
        copy.textContent = copy.dataset.copied;
        document.getElementById("status").textContent = copy.dataset.copied;
      });
    }
    for (const open of document.querySelectorAll("details.who[open]")) {
      if (!open.contains(event.target) || button) open.open = false;
    }
  });

  // What was opened to be filled in is filled in at once.
  document.addEventListener("toggle", (event) => {
    if (event.target.matches("details.act[open]")) event.target.querySelector("input:not([type=hidden])")?.focus();
  }, true);

  // A swap takes away what had the focus. It goes back to the same thing on the same page, else to
  // what the page offers first.
  let before = null;
  document.addEventListener("htmx:before:swap", () => {
    before = { path: location.pathname, id: document.activeElement?.id, y: scrollY };
  });
  document.addEventListener("htmx:after:swap", (event) => {
    if (event.target.closest?.(".problem")) return;
    const stays = before && before.path === location.pathname;
    const same = stays && before.id && document.getElementById(before.id);
    const first = document.querySelector("main [autofocus]") || document.getElementById("main");
    (same || first)?.focus({ preventScroll: true });
    scrollTo(0, stays ? before.y : 0);
    const said = document.querySelector("#notice p");
    document.getElementById("status").textContent = said ? said.textContent : "";
  });
})();
