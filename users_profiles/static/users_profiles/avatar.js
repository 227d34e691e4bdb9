// A picture that is chosen or dropped is cut square and shown at once, before it is sent; the server does the cutting.
// Without this script the plain file input does the job.
"use strict";
{
  const DRAWN = 560; // pixels of the canvas, two to the point
  const SHRUNK_TO = 8_000_000; // pixels of a picture that was too large: a tenth of its width still makes a sharp one
  const shrunk = new WeakSet(); // the files that are small already
  const part = (box, name) => box.querySelector(`[data-avatar-${name}]`);
  const fileInput = (box) => box.querySelector("input[type=file]");
  const stored = new WeakMap(); // what each preview showed when the page came
  const pictures = new WeakMap(); // the picture that was chosen, decoded, and the part of it: {image, left, top, side}

  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

  // Of a picture: the square with corner and side in pixels of it. Kept within the picture.
  function within(cut, smallest) {
    const { naturalWidth: width, naturalHeight: height } = cut.image;
    const most = Math.min(width, height);
    cut.side = clamp(cut.side, Math.max(1, smallest * most), most);
    cut.left = clamp(cut.left, 0, width - cut.side);
    cut.top = clamp(cut.top, 0, height - cut.side);
    return cut;
  }

  function middle(image) {
    const side = Math.min(image.naturalWidth, image.naturalHeight);
    return { image, side, left: (image.naturalWidth - side) / 2, top: (image.naturalHeight - side) / 2 };
  }

  function draw(canvas, { image, left, top, side }) {
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.drawImage(image, left, top, side, side, 0, 0, canvas.width, canvas.height);
    return context;
  }

  // What is shown ------------------------------------------------------------------------------------------------

  function show(box) {
    const cut = pictures.get(box);
    const { naturalWidth: width, naturalHeight: height } = cut.image;
    const parts = [cut.left / width, cut.top / height, cut.side / Math.min(width, height)];
    part(box, "cut").value = parts.map((number) => number.toFixed(6)).join(" ");
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 192;
    draw(canvas, cut);
    const frame = document.createElement("span");
    frame.className = "avatar avatar-l";
    frame.append(canvas);
    part(box, "preview").replaceChildren(frame);
    part(box, "again").hidden = false;
  }

  function forget(box) {
    pictures.delete(box);
    part(box, "cut").value = "";
    part(box, "again").hidden = true;
    part(box, "preview").replaceChildren(...stored.get(box));
  }

  function say(box, text, bad = false) {
    const status = part(box, "status");
    status.textContent = text || box.dataset.kept;
    status.classList.toggle("is-bad", bad);
  }

  function chosen(box) {
    const input = fileInput(box);
    const file = input.files[0];
    say(box, file?.name ?? "");
    box.classList.remove("is-leaving");
    forget(box);
    if (!file) return;
    const remove = part(box, "remove");
    if (remove) remove.checked = false;
    const image = new Image();
    image.src = URL.createObjectURL(file);
    // What a browser cannot draw is for the server to judge, unless it is too large; the old picture stays in sight.
    image.decode().then(
      () => {
        if (input.files[0] !== file) return; // another one was chosen meanwhile
        if (isTooLarge(box, file, image)) {
          shrink(box, file, image);
          return;
        }
        pictures.set(box, middle(image));
        show(box);
        openCutter(box, () => reset(box));
      },
      () => {
        URL.revokeObjectURL(image.src);
        if (input.files[0] !== file || file.size <= Number(box.dataset.maxBytes)) return;
        input.value = "";
        say(box, box.dataset.tooLarge, true);
      },
    );
  }

  function isTooLarge(box, file, { naturalWidth, naturalHeight }) {
    const isLarge = file.size > Number(box.dataset.maxBytes) || naturalWidth * naturalHeight > Number(box.dataset.maxPixels);
    return isLarge && !shrunk.has(file);
  }

  // Telephones take larger pictures than the server will have, which makes a small one of each: so we begin with that.
  function shrink(box, file, image) {
    const scale = Math.min(1, Math.sqrt(SHRUNK_TO / (image.naturalWidth * image.naturalHeight)));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(image.naturalWidth * scale);
    canvas.height = Math.round(image.naturalHeight * scale);
    const context = canvas.getContext("2d");
    context.fillStyle = "#fff"; // beneath what lets through; the file is one that cannot
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    URL.revokeObjectURL(image.src);
    canvas.toBlob(
      (blob) => {
        const input = fileInput(box);
        if (!blob || input.files[0] !== file) return;
        const smaller = new File([blob], `${file.name.replace(/\.[^.]*$/, "")}.jpg`, { type: blob.type });
        const files = new DataTransfer();
        files.items.add(smaller);
        shrunk.add(smaller);
        input.files = files.files;
        chosen(box);
      },
      "image/jpeg",
      0.9,
    );
  }

  function reset(box) {
    fileInput(box).value = "";
    say(box, "");
    forget(box);
    fileInput(box).dispatchEvent(new Event("input", { bubbles: true })); // whoever keeps watch over the form
  }

  function removed(box) {
    const { checked } = part(box, "remove");
    if (checked) {
      fileInput(box).value = "";
      forget(box);
    }
    box.classList.toggle("is-leaving", checked);
    say(box, checked ? box.dataset.willGo : "");
  }

  // Choosing the part -----------------------------------------------------------------------------------------------

  let cutting = null; // {box, dialog, cut, cancelled}: one at a time

  function paint() {
    const { dialog, cut } = cutting;
    const canvas = dialog.querySelector("canvas");
    within(cut, Number(dialog.dataset.smallest));
    const context = draw(canvas, cut);
    // Pictures are shown round: what lies outside of the circle is dimmed.
    context.fillStyle = "rgb(0 0 0 / 45%)";
    context.beginPath();
    context.rect(0, 0, DRAWN, DRAWN);
    context.arc(DRAWN / 2, DRAWN / 2, DRAWN / 2, 0, 2 * Math.PI, true);
    context.fill();
    const most = Math.min(cut.image.naturalWidth, cut.image.naturalHeight);
    const range = Math.log(Number(dialog.dataset.smallest));
    dialog.querySelector("[data-cutter-zoom]").value = String((100 * Math.log(cut.side / most)) / range);
  }

  // Larger or smaller around the middle of what is shown.
  function zoomTo(side) {
    const { cut } = cutting;
    const most = Math.min(cut.image.naturalWidth, cut.image.naturalHeight);
    const wanted = clamp(side, Number(cutting.dialog.dataset.smallest) * most, most);
    cut.left += (cut.side - wanted) / 2;
    cut.top += (cut.side - wanted) / 2;
    cut.side = wanted;
    paint();
  }

  // By so much of what is shown.
  function move(x, y) {
    cutting.cut.left -= x * cutting.cut.side;
    cutting.cut.top -= y * cutting.cut.side;
    paint();
  }

  function openCutter(box, cancelled) {
    const dialog = part(box, "cutter");
    cutting = { box, dialog, cancelled, cut: { ...pictures.get(box) } };
    dialog.showModal();
    paint();
    dialog.querySelector("canvas").focus();
  }

  function closeCutter(use) {
    const { box, dialog, cut, cancelled } = cutting;
    cutting = null;
    dialog.close();
    if (use) {
      pictures.set(box, cut);
      show(box);
    } else {
      cancelled();
    }
    fileInput(box).focus();
  }

  const KEYS = {
    ArrowLeft: () => move(-0.02, 0),
    ArrowRight: () => move(0.02, 0),
    ArrowUp: () => move(0, -0.02),
    ArrowDown: () => move(0, 0.02),
    "+": () => zoomTo(cutting.cut.side / 1.1),
    "=": () => zoomTo(cutting.cut.side / 1.1),
    "-": () => zoomTo(cutting.cut.side * 1.1),
  };

  function onKey(event) {
    const onButton = event.target.closest("button");
    const inRange = event.target.closest("input");
    if (event.key === "Enter" && !onButton) {
      event.preventDefault(); // not the form around it
      closeCutter(true);
    } else if (KEYS[event.key] && !onButton && !inRange) {
      event.preventDefault();
      KEYS[event.key]();
    }
  }

  // One finger or the mouse moves, two fingers change the size.
  function followPointers(canvas) {
    const down = new Map();
    const apart = () => {
      const [a, b] = [...down.values()];
      return Math.hypot(a.x - b.x, a.y - b.y);
    };
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      down.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
    });
    canvas.addEventListener("pointermove", (event) => {
      const before = down.get(event.pointerId);
      if (!before || !cutting) return;
      const now = { x: event.offsetX, y: event.offsetY };
      const wasApart = down.size === 2 ? apart() : 0;
      down.set(event.pointerId, now);
      if (down.size === 1) move((now.x - before.x) / canvas.clientWidth, (now.y - before.y) / canvas.clientHeight);
      else if (down.size === 2 && apart()) zoomTo((cutting.cut.side * wasApart) / apart());
    });
    for (const type of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(type, (event) => down.delete(event.pointerId));
    }
    canvas.addEventListener(
      "wheel",
      (event) => {
        event.preventDefault();
        zoomTo(cutting.cut.side * (event.deltaY < 0 ? 1 / 1.1 : 1.1));
      },
      { passive: false },
    );
  }

  // Where it begins -------------------------------------------------------------------------------------------------

  function acceptDrops(box) {
    const target = box.closest("[data-avatar-drop]") || box;
    const files = (event) => event.dataTransfer.types.includes("Files");
    target.addEventListener("dragover", (event) => {
      if (!files(event)) return;
      event.preventDefault();
      box.classList.add("is-target");
    });
    target.addEventListener("dragleave", (event) => {
      if (!target.contains(event.relatedTarget)) box.classList.remove("is-target");
    });
    target.addEventListener("drop", (event) => {
      if (!files(event)) return;
      event.preventDefault();
      box.classList.remove("is-target");
      const one = new DataTransfer();
      one.items.add(event.dataTransfer.files[0]);
      fileInput(box).files = one.files;
      fileInput(box).dispatchEvent(new Event("change", { bubbles: true }));
    });
  }

  function enhance(box) {
    if (stored.has(box)) return;
    fileInput(box).classList.add("visually-hidden");
    part(box, "button").hidden = false;
    part(box, "hint").hidden = !matchMedia("(hover: hover)").matches; // nothing is dragged onto a phone
    const preview = part(box, "preview");
    stored.set(box, [...preview.childNodes]);
    // Only for the mouse: whoever uses keys or a screen reader has the button.
    preview.addEventListener("click", () => fileInput(box).click());
    acceptDrops(box);
    const dialog = part(box, "cutter");
    followPointers(dialog.querySelector("canvas"));
    dialog.addEventListener("keydown", onKey);
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      closeCutter(false);
    });
    dialog.querySelector("[data-cutter-use]").addEventListener("click", () => closeCutter(true));
    dialog.querySelector("[data-cutter-cancel]").addEventListener("click", () => closeCutter(false));
    dialog.querySelector("[data-cutter-zoom]").addEventListener("input", (event) => {
      const most = Math.min(cutting.cut.image.naturalWidth, cutting.cut.image.naturalHeight);
      zoomTo(most * Number(dialog.dataset.smallest) ** (event.target.value / 100));
    });
    part(box, "again").addEventListener("click", () => openCutter(box, () => {}));
    if (part(box, "remove")?.checked) removed(box); // ticked before the page came back with something to put right
  }

  document.addEventListener("change", (event) => {
    const box = event.target.closest("[data-avatar-input]");
    if (!box) return;
    if (event.target.matches("input[type=file]")) chosen(box);
    if (event.target.matches("[data-avatar-remove]")) removed(box);
  });

  for (const box of document.querySelectorAll("[data-avatar-input]")) {
    enhance(box);
    if (fileInput(box).files.length) chosen(box); // while this script was on its way
  }
}
