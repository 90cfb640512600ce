(() => {
  const box = document.getElementById("q");
  const hits = document.getElementById("hits");
  const cards = [...document.querySelectorAll("article.card")];
  if (cards.length < 2) return;
  document.getElementById("search").hidden = false;
  box.addEventListener("input", () => {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const card of cards) {
      const text = card.textContent.toLowerCase();
      card.hidden = !words.every((word) => text.includes(word));
      shown += card.hidden ? 0 : 1;
    }
    for (const dump of document.querySelectorAll("section.dump")) {
      dump.hidden = words.length > 0 && !dump.querySelector("article.card:not([hidden])");
    }
    hits.textContent = words.length ? `${shown} of ${cards.length}` : "";
  });
})();
