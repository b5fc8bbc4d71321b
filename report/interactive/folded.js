// What is folded opens for print, and where a link leads into it.
(() => {
  const reveal = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const folded = target && target.closest("details.folded:not([open])");
    if (folded) {
      folded.open = true;
      target.scrollIntoView();
    }
  };
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details.folded:not([open])")];
    opened.forEach(folded => folded.open = true);
  });
  addEventListener("afterprint", () => opened.forEach(folded => folded.open = false));
  addEventListener("hashchange", reveal);
  reveal();
})();
