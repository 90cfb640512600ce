-- Keys of crypton: haskell_keys FOLDER live|freed KIND...
import Control.Concurrent (threadDelay)
import Control.Monad (forM, when)
import Crypto.Error (throwCryptoError)
import Crypto.Hash.Algorithms (SHA256 (..))
import Crypto.Number.Serialize (os2ip)
import qualified Crypto.PubKey.Ed25519 as Ed
import Crypto.PubKey.RSA
import qualified Crypto.PubKey.RSA.PKCS15 as P
import qualified Data.ByteString as B
import qualified Data.ByteString.Char8 as C
import Data.IORef
import System.Environment (getArgs)
import System.IO
import System.Mem (performGC)

data Held = R PrivateKey | E Ed.SecretKey Ed.PublicKey

load :: FilePath -> String -> IO Held
load folder "ed25519" = do
  raw <- B.readFile (folder ++ "/ed25519.raw")
  let key = throwCryptoError (Ed.secretKey raw)
      pub = Ed.toPublic key
  print (B.length (C.pack (show (Ed.sign key pub (C.pack "lab")))))
  pure (E key pub)
load folder kind = do
  let get name = os2ip <$> B.readFile (folder ++ "/" ++ kind ++ "." ++ name ++ ".num")
  [n, e, d, p, q, dp, dq, qi] <- mapM get ["n", "e", "d", "p", "q", "dp", "dq", "qinv"]
  let key = PrivateKey (PublicKey 256 n e) d p q dp dq qi
  signed <- either (error . show) pure (P.sign Nothing (Just SHA256) key (C.pack "lab"))
  print (B.length signed)
  pure (R key)

main :: IO ()
main = do
  folder : state : kinds <- getArgs
  held <- newIORef =<< forM kinds (load folder)
  when (state == "freed") $ writeIORef held [] >> performGC >> performGC
  putStrLn "ready"
  hFlush stdout
  threadDelay 3600000000
  readIORef held >>= print . length
