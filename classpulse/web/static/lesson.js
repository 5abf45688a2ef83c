// Generating a file takes some seconds; show a message until the download starts.
const status = document.getElementById("download-status");
for (const link of document.querySelectorAll("a[data-generating]")) {
  link.addEventListener("click", () => {
    status.textContent = link.dataset.generating;
    setTimeout(() => { status.textContent = ""; }, 15000);
  });
}
