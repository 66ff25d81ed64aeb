// What GraphiQL's dialogs add as <style> at run time carries this page's nonce, so that the policy lets it in.
"use strict";
window.__webpack_nonce__ = document.getElementById("look").nonce;
