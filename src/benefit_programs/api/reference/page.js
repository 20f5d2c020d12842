"use strict";

const box = document.querySelector("nav input");

function narrow() {
  const wanted = box.value.trim().toLowerCase();
  for (const entry of document.querySelectorAll("[data-words]")) {
    entry.hidden = !entry.dataset.words.includes(wanted);
  }
}

box.addEventListener("input", narrow);
narrow();
