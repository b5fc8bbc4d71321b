// How the article is read: what is folded opens for print and where a link leads into it; what is wider than its place
// says that it scrolls, and can be reached by keyboard.
(() => {
  const closed = "details.folded:not([open])";

  const reveal = () => {
    const target = location.hash && document.getElementById(location.hash.slice(1));
    const folded = target && target.closest(closed);
    if (folded) {
      folded.open = true;
      target.scrollIntoView();
    }
  };
  addEventListener("hashchange", reveal);
  addEventListener("click", event => {
    const link = event.target.closest && event.target.closest("a[href^='#']");
    if (link && link.hash === location.hash) reveal(); // no change of the hash tells of it
  });

  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll(closed)];
    for (const folded of opened) folded.open = true;
  });
  addEventListener("afterprint", () => {
    for (const folded of opened) folded.open = false;
  });

  const places = [...document.querySelectorAll(".scroll, .cell, .cell-output-display")];
  const hint = () => {
    for (const place of places) {
      const inner = place.querySelector(".scroll, .cell-output-display"); // which scrolls in its stead
      const scrolls = !inner && place.scrollWidth > place.clientWidth + 2;
      place.classList.toggle("scrolls", scrolls);
      if (scrolls) place.tabIndex = 0; // the keyboard scrolls only what has the focus
    }
  };
  const watch = new ResizeObserver(hint);
  for (const place of places) watch.observe(place);
  addEventListener("load", hint, true); // of the page and of each picture
  hint();
  reveal();
})();
