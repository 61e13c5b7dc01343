console.error("of the worker");
new WebSocket(location.origin.replace("http", "ws") + "/worker-socket");
fetch("/worker-file");
fetch("http://of-worker.invalid/").catch(() => {});
throw new Error("nobody catches the worker's");
