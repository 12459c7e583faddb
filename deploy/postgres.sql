-- The three databases of Wanglou; the user exists already (compose makes it, or: createuser --pwprompt wanglou).
CREATE DATABASE state OWNER wanglou ENCODING 'UTF8' TEMPLATE template0;
CREATE DATABASE history OWNER wanglou ENCODING 'UTF8' TEMPLATE template0;
CREATE DATABASE desk OWNER wanglou ENCODING 'UTF8' TEMPLATE template0;
