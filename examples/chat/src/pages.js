import { html } from "./html.js";
import { MAX_MESSAGE, MAX_NAME } from "./limits.js";

/** Asks for a name; `problem` says what was wrong with the one given. */
export function signInPage({ name, problem } = {}) {
  return layout({
    title: "Sign in",
    content: html`
      <section class="card sign-in">
        <h1>Join the chat</h1>
        <p class="muted">Any name will do. Open a second window in private mode to be somebody else.</p>
        <form method="post" action="/sign-in" autocomplete="off">
          <label for="name">Your name</label>
          <input id="name" name="name" value="${name}" maxlength="${MAX_NAME}" required autofocus
            ${problem ? html`aria-invalid="true" aria-describedby="problem"` : ""}>
          <p id="problem" class="problem" role="alert">${problem}</p>
          <button type="submit">Join</button>
        </form>
      </section>`,
  });
}

/** The chat. The script finds what it needs in the `data-` attributes; the JWT is not among them, it is asked for. */
export function chatPage({ name, topic, appKey, pusherUrl }) {
  return layout({
    title: `Chat: ${topic}`,
    scripts: html`
    <script src="${pusherUrl}/js/pusher.js" defer></script>
    <script src="/chat.js" defer></script>`,
    user: html`
      <form method="post" action="/sign-out" class="user">
        <span>${name}</span>
        <button type="submit" class="plain">Sign out</button>
      </form>`,
    content: html`
      <noscript><p class="notice">A live chat needs JavaScript.</p></noscript>
      <div class="chat" id="chat" data-name="${name}" data-topic="${topic}" data-app-key="${appKey}"
        data-pusher-url="${pusherUrl}">
        <section class="card room" aria-labelledby="room-name">
          <header>
            <h1 id="room-name">${topic}</h1>
            <p id="status" class="status" role="status" data-state="connecting">Connecting</p>
          </header>
          <div id="messages" class="messages" role="log" aria-label="Messages" tabindex="0"></div>
          <form id="composer" class="composer" autocomplete="off">
            <label for="message" class="visually-hidden">Message</label>
            <input id="message" placeholder="Write a message" maxlength="${MAX_MESSAGE}" enterkeyhint="send" required>
            <button type="submit" id="send-socket" disabled>Send</button>
            <button type="submit" id="send-rest" class="plain" disabled>Send through REST</button>
          </form>
          <p id="problem" class="problem" role="alert"></p>
        </section>
        <section class="card people" aria-labelledby="people-title">
          <h2 id="people-title">Online</h2>
          <ul id="people"></ul>
        </section>
      </div>`,
  });
}

function layout({ title, scripts, user, content }) {
  return html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>${title}</title>
    <link rel="icon" href="/icon.svg" type="image/svg+xml">
    <link rel="stylesheet" href="/chat.css">${scripts}
  </head>
  <body>
    <header class="site">
      <p class="brand"><img src="/icon.svg" alt="" width="24" height="24"> Chat <span>on pusher-lite</span></p>${user}
    </header>
    <main>${content}
    </main>
  </body>
</html>
`;
}
