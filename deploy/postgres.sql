-- The three databases of Wanglou; the user exists already (compose makes it, or: createuser --pwprompt wanglou).
CREATE DATABASE state OWNER wanglou ENCODING 'UTF8' TEMPLATE template0;
CREATE DATABASE history OWNER wanglou ENCODING 'UTF8' TEMPLATE template0;
CREATE DATABASE desk OWNER wanglou ENCODING 'UTF8' TEMPLATE template0;
-- Grafana's SQL panels read history as a user that can do nothing else. Once history has run (it makes its tables):
--   WANGLOU_HISTORY_URL=… wanglou history grant grafana      then in psql:  \password grafana
