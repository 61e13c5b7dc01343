for (const button of document.querySelectorAll("button"))
	button.onclick = () => setTimeout(() => document.getElementById("pressed").append(" " + button.dataset.name), 100);
document.getElementById("search").onpaste = event => {
	event.target.value = event.clipboardData.getData("text");
	event.preventDefault();
};
