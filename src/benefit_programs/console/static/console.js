// What pages can't say in HTML: keys, where the focus goes after a swap, and the words of a change
// for who hears the page. Everything also works without this file.
"use strict";
(() => {
  const typing = (element) => element.closest("input, textarea, select, [contenteditable]");
  const rows = ".hits a, [data-rows] a";
  let awaitsKey = false;

  document.addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]")) return;
    if (event.key === "Escape") leave(event.target);
    if (event.key === "ArrowDown" && event.target.matches("input[type=search]")) moveIn(rows, event);
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
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
      moveIn(rows, event);
    }
  });

  // Out of what was opened, back to what has opened it; else out of a field, for the other keys.
  function leave(element) {
    const opened = element.closest("details.act[open], details.who[open]");
    if (opened) {
      opened.open = false;
      opened.querySelector("summary").focus();
    } else if (typing(element)) {
      element.blur();
    }
  }

  // Arrows walk through what was found, also from the box.
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
    // The dialog gives the focus back to what has it now, which must still be seen then.
    if (button) button.closest("details")?.querySelector("summary").focus();
    for (const open of document.querySelectorAll("details.who[open]")) {
      if (!open.contains(event.target) || button) open.open = false;
    }
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
  });

  // What was opened to be filled in is filled in at once.
  document.addEventListener("toggle", (event) => {
    if (event.target.matches("details.act[open]")) event.target.querySelector("input:not([type=hidden])")?.focus();
  }, true);

  // A form that comes again by going back, and is sent as it was sent before, has the key that it had
  // then: it does nothing twice. What was sent from a page is kept with its place in the history.
  const byHistory = performance.getEntriesByType("navigation")[0]?.type === "back_forward";
  let isBack = byHistory || sessionStorage.getItem("back") !== null;
  sessionStorage.removeItem("back");
  document.addEventListener("htmx:before:history:restore", () => sessionStorage.setItem("back", "1"));
  addEventListener("popstate", () => sessionStorage.setItem("back", "1"));
  document.addEventListener("submit", (event) => {
    const form = event.target, key = form.elements.key;
    if (form.method !== "post" || !key) return;
    const sent = history.state?.sent ?? {};
    const fields = new FormData(form, event.submitter);
    fields.delete("key");
    const content = `${form.getAttribute("action")}?${new URLSearchParams(fields)}`;
    if (isBack && sent[content]) key.value = sent[content];
    if (content.length < 2000) history.replaceState({ ...history.state, sent: { ...sent, [content]: key.value } }, "");
  }, true);

  // A swap takes away what had the focus. It goes back to the same thing on the same page: by its id,
  // its place in its form, or where it leads. Else, or if that is new, to what the page offers first.
  let before = null;
  document.addEventListener("htmx:before:swap", () => {
    const at = document.activeElement;
    const form = at?.form ?? at?.closest("summary")?.parentElement.querySelector("form");
    before = {
      path: location.pathname, y: scrollY, id: at?.id, link: at?.getAttribute("href"), offered: offered()?.id,
      action: form?.getAttribute("action"), nth: form ? [...form.elements].indexOf(at) : -1,
    };
  });
  document.addEventListener("htmx:after:swap", (event) => {
    if (event.target.closest?.(".problem")) return;
    isBack = false;
    const stays = before && before.path === location.pathname;
    const known = stays && before.id && document.getElementById(before.id);
    const isNew = before && offered() && offered().id !== before.offered;
    const first = (!isNew && known) || offered() || (stays && sameAs(before)) || document.getElementById("main");
    first?.focus({ preventScroll: true });
    scrollTo(0, stays ? before.y : 0);
    const said = document.querySelector("#notice p");
    document.getElementById("status").textContent = said ? said.textContent : "";
  });

  function offered() {
    return document.querySelector("main [autofocus]");
  }

  function sameAs(place) {
    const by = (selector, name, value) => value && [...document.querySelectorAll(selector)].find((each) => each.getAttribute(name) === value);
    const form = by("main form:not(#notice *)", "action", place.action);
    const found = form ? form.elements[place.nth] ?? form : by("a", "href", place.link);
    return found?.closest("details:not([open])")?.querySelector("summary") ?? found?.closest("a, button, input, select, textarea");
  }
})();
