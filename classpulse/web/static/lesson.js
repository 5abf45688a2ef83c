// A file that is not made yet comes after some seconds: say so meanwhile.
const told = document.getElementById("download-told");
for (const link of document.querySelectorAll("a[data-making]")) {
  link.addEventListener("click", () => {
    told.textContent = link.dataset.making;
    setTimeout(() => { told.textContent = ""; }, 15000);
  });
}
