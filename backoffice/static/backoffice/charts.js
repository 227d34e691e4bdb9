// Draws the charts of the dashboard. Each has a table of the same numbers and links beneath it.
"use strict";
{
  const charts = JSON.parse(document.getElementById("chart-data").textContent);
  const language = document.documentElement.lang || undefined;
  const number = new Intl.NumberFormat(language, { useGrouping: "always" }); // as the page does, also in Spanish
  const short = new Intl.NumberFormat(language, { notation: "compact", maximumSignificantDigits: 2 });
  const drawn = [];

  function token(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }

  // What to write at bars that stand: every number where there is room, else in short, else that of the tallest alone.
  function standing(ctx, counts, room) {
    const fits = (texts) => texts.every((text) => ctx.measureText(text).width <= room);
    for (const format of [number, short]) {
      const texts = counts.map((count) => (count ? format.format(count) : ""));
      if (fits(texts)) return texts;
    }
    const tallest = Math.max(...counts);
    return counts.map((count, at) => (count && at === counts.indexOf(tallest) ? number.format(count) : ""));
  }

  // The numbers themselves at the bars: nobody has to point at a bar or tell its shade.
  const numbers = {
    id: "numbers",
    afterDatasetsDraw(chart) {
      const lies = chart.options.indexAxis === "y";
      const counts = chart.data.datasets[0].data;
      const bars = chart.getDatasetMeta(0).data;
      const { ctx } = chart;
      ctx.save();
      ctx.fillStyle = token("--text");
      ctx.font = `${Chart.defaults.font.size}px ${Chart.defaults.font.family}`;
      ctx.textAlign = lies ? "start" : "center";
      ctx.textBaseline = lies ? "middle" : "bottom";
      const texts = lies ? counts.map(number.format) : standing(ctx, counts, bars[1].x - bars[0].x - 8);
      bars.forEach((bar, at) => ctx.fillText(texts[at], bar.x + (lies ? 6 : 0), bar.y - (lies ? 0 : 3)));
      ctx.restore();
    },
  };

  function shorten(text, most) {
    const letters = Array.from(text);
    return letters.length > most ? `${letters.slice(0, most - 1).join("").trimEnd()}…` : text;
  }

  function options(chart) {
    const lies = chart.shape === "rows";
    const kinds = {
      grid: { display: false },
      border: { color: token("--edge") },
      ticks: { color: token("--muted"), autoSkip: !lies, maxRotation: 0 },
    };
    if (lies) {
      kinds.border = { display: false };
      kinds.ticks.color = token("--text");
      kinds.ticks.crossAlign = "far";
      kinds.ticks.callback = (value) => shorten(chart.bars[value].label, 19);
      // As wide as the labels of every other chart: the bars of all of them begin on one line.
      kinds.afterFit = (scale) => {
        scale.width = 136;
      };
    }
    // To the longest bar and no further; the numbers have their room in the padding.
    const counts = { display: false, min: 0, max: Math.max(1, ...chart.bars.map((bar) => bar.count)) };
    return {
      indexAxis: lies ? "y" : "x",
      animation: false, // nothing moves when the page loads
      maintainAspectRatio: false,
      layout: { padding: lies ? { right: 64 } : { top: 18 } },
      scales: lies ? { x: counts, y: kinds } : { x: kinds, y: counts },
      onHover: (event, found) => {
        event.native.target.style.cursor = found.length ? "pointer" : "";
      },
      onClick: (event, found) => {
        if (found.length) window.location.assign(chart.bars[found[0].index].url);
      },
      interaction: { mode: "index", axis: lies ? "y" : "x", intersect: false },
      plugins: {
        legend: { display: false },
        tooltip: {
          displayColors: false,
          backgroundColor: token("--text"),
          titleColor: token("--surface"),
          bodyColor: token("--surface"),
          callbacks: {
            title: (items) => chart.bars[items[0].dataIndex].label,
            label: (item) => number.format(item.raw),
          },
        },
      },
    };
  }

  function draw(chart) {
    const canvas = document.querySelector(`#chart-${chart.name} canvas`);
    const box = canvas.parentElement;
    box.style.height = `${canvas.height}px`; // what the canvas has kept free so far
    const data = {
      labels: chart.bars.map((bar) => bar.label),
      datasets: [
        {
          data: chart.bars.map((bar) => bar.count),
          backgroundColor: token("--accent"),
          hoverBackgroundColor: token("--accent-strong"),
          borderRadius: 3,
          maxBarThickness: chart.shape === "rows" ? 14 : 40,
          categoryPercentage: 0.9,
          barPercentage: 0.8,
        },
      ],
    };
    drawn.push({ chart, picture: new Chart(canvas, { type: "bar", data, options: options(chart), plugins: [numbers] }) });
  }

  function recolour() {
    for (const { chart, picture } of drawn) {
      picture.options = options(chart);
      picture.data.datasets[0].backgroundColor = token("--accent");
      picture.data.datasets[0].hoverBackgroundColor = token("--accent-strong");
      picture.update("none");
    }
  }

  Chart.defaults.font.family = token("--font");
  Chart.defaults.font.size = 12;
  charts.forEach(draw);
  new MutationObserver(recolour).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
}
