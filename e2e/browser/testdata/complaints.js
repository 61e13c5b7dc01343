console.log("chatter");
console.warn("a warning");
console.error("an error");
new Worker("worker.js");
new WebSocket(location.origin.replace("http", "ws") + "/socket");
fetch("http://of-page.invalid/").catch(() => {});
Promise.reject(new Error("nobody waits for this"));
throw new Error("nobody catches this");
